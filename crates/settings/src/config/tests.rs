use super::*;

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Bridge {
    hello_port: Option<u16>,
}

impl Section for Bridge {
    const PROGRAM: Program = Program::Bridge;
}

fn parsed(text: &str) -> Result<Bridge, String> {
    parse(Path::new("c.toml"), text).map_err(|error| error.to_string())
}

#[test]
fn the_sections_of_other_programs_are_left_alone() {
    let section = parsed("[registry]\ntcp = 1\n[bridge]\nhello-port = 2\n[peer]\nx = 1\n");
    assert_eq!(section.unwrap().hello_port, Some(2));
    assert_eq!(parsed("[peer]\nx = 1\n").unwrap(), Bridge::default());
    assert!(parsed("peer = 1\n").is_err());
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let error = parsed("[bridge]\n\nhello-prot = 1\n").unwrap_err();
    let start = "the config file c.toml, line 3: unknown field `hello-prot`";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn an_unknown_section_is_named_with_its_line() {
    let error = parsed("[peer]\n[bridg]\n").unwrap_err();
    assert_eq!(
        error,
        "the config file c.toml, line 2: unknown field `bridg`, expected one of `registry`, `peer`, `bridge`"
    );
}

#[test]
fn an_error_does_not_show_what_the_file_holds() {
    let error = parsed("[registry]\nstore = 'mongodb://u:hush@h\n").unwrap_err();
    assert!(!error.contains("hush") && !error.contains('\n'), "{error}");
    let error = parsed("[bridge]\nhello-port = 70000\n").unwrap_err();
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn a_file_that_was_named_has_to_be_there() {
    let missing = Path::new("/nonexistent/p2pchat.toml");
    let error = load::<Bridge>(Some(missing)).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }), "{error}");
}
