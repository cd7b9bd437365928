//! The page of a program's section of the config file.

use clap::{Arg, ArgAction, Command};

use super::{Page, Text, config_page};
use crate::Program;
use crate::options::{DATA, DATA_FOLDER, is_switch, options, shown_default, variable_of};

/// The page `p2pchat.toml.5`, or that of another program.
pub(super) fn page<P: Program>(program: &Command) -> Page {
    let (name, section) = (program.get_name(), P::SECTION.name());
    let title = config_page(program);
    let mut text = Text::new(&title, 5, &format!("the config file of {name}"));
    text.heading("DESCRIPTION");
    for paragraph in paragraphs(name, section) {
        text.paragraph(&paragraph);
    }
    text.heading("KEYS");
    let mut heading = None;
    // With their declared help: the page has no use for the hints of `--help`.
    let declared = P::command();
    for arg in options(&declared) {
        if heading != arg.get_help_heading() {
            heading = arg.get_help_heading();
            text.subheading(heading.unwrap_or_default());
        }
        add_key(arg, &mut text);
    }
    text.heading("FILES");
    let words = "The config file, if neither --config nor P2PCHAT_CONFIG names another.";
    text.entry("~/.config/p2pchat/config.toml", words);
    text.heading("EXAMPLES");
    text.code(&format!("[{section}]\n{}", P::MANUAL.config));
    text.heading("SEE ALSO");
    let mut pages = vec![format!("{name}(1)")];
    pages.extend(P::MANUAL.see_also.iter().map(ToString::to_string));
    text.pages(&pages);
    Page {
        file: format!("{title}.5"),
        text: text.finish(),
    }
}

fn paragraphs(name: &str, section: &str) -> [String; 4] {
    [
        "The file is TOML. It has a section for each program of p2pchat: `[peer]` is for \
         `p2pchat`(1), `[bridge]` for `p2pchat-bridge`(1), `[registry]` for \
         `p2pchat-registry`(1). One file may have all of them; a program reads its own and \
         leaves the others alone."
            .to_owned(),
        format!(
            "This page lists the keys of `[{section}]`. They have the names of the options of \
             {name}, and the same values. The command line goes before the environment, the \
             environment before the file. A key or section that does not exist is an error, \
             which names the line."
        ),
        "A text or a path stands in quotation marks, a number need not. What is on or off is \
         `true` or `false`; what can be given several times may be a list of texts."
            .to_owned(),
        "In a path a leading `~/` is the home folder. Other variables or patterns are not \
         replaced."
            .to_owned(),
    ]
}

fn add_key(arg: &Arg, text: &mut Text) {
    let name = arg.get_long().unwrap_or_default();
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let variable = format!("Variable: `{}`.", variable_of(name));
    let default = shown_default(arg).map_or(String::new(), |default| {
        format!(" Default: `{}`.", default.replace(DATA, DATA_FOLDER))
    });
    let help = help.trim_end_matches('.');
    text.entry_of(name, &kind(arg), &format!("{help}. {variable}{default}"));
}

/// What is written behind a key.
fn kind(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let name = names.first().map_or("TEXT", |name| name.as_str());
    match name {
        _ if is_switch(arg) => "= true|false".to_owned(),
        "BYTES" | "NUMBER" | "PORT" | "SECONDS" => format!("= {name}"),
        _ if matches!(arg.get_action(), ArgAction::Append) => format!("= [\"{name}\", …]"),
        _ => format!("= \"{name}\""),
    }
}
