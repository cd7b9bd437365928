use std::path::Path;

use super::*;

const SERVICE: Service = Service {
    name: "p2pchat-x",
    system_unit: "[Service]\nExecStart=/usr/local/bin/p2pchat-x\nRestart=always\n",
    user_unit: "[Service]\nExecStart=%h/.cargo/bin/p2pchat-x\n",
    root: "/nonexistent",
};

fn installation(scope: Scope, manager: Manager, program: &str) -> Installation {
    Installation {
        service: SERVICE,
        scope,
        manager,
        program: program.into(),
        home: "/h".into(),
        config: "/h/.config".into(),
    }
}

fn shown(steps: &[Step]) -> String {
    let mut out = Vec::new();
    show(steps, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_service_of_the_system_is_a_unit_in_etc() {
    let system = installation(Scope::System, Manager::Systemd, "/usr/local/bin/p2pchat-x");
    assert_eq!(
        shown(&system.install()),
        "would write /nonexistent/etc/systemd/system/p2pchat-x.service:\n  \
         [Service]\n  ExecStart=/usr/local/bin/p2pchat-x\n  Restart=always\n\
         would run systemctl daemon-reload\n\
         would run systemctl enable p2pchat-x\n\
         would run systemctl restart p2pchat-x\n"
    );
    assert_eq!(
        shown(&system.uninstall(true)),
        "would run systemctl disable --now p2pchat-x\n\
         would run systemctl clean --what=state p2pchat-x\n\
         would remove /nonexistent/etc/systemd/system/p2pchat-x.service\n\
         would run systemctl daemon-reload\n"
    );
    assert!(!shown(&system.uninstall(false)).contains("clean"));
}

#[test]
fn the_unit_has_the_path_of_the_program_as_systemd_reads_it() {
    for (program, line) in [
        ("/opt/p2pchat-x", "/opt/p2pchat-x"),
        ("/opt/100%/x", "/opt/100%%/x"),
        ("/opt/a b/$x", "\"/opt/a b/$$x\""),
        ("/opt/\"x", "\"/opt/\\\"x\""),
    ] {
        let unit = installation(Scope::User, Manager::Systemd, program).unit();
        assert_eq!(unit, format!("[Service]\nExecStart={line}\n"));
    }
}

#[test]
fn a_program_in_a_home_folder_is_no_service_of_the_system() {
    for folder in systemd::OUT_OF_REACH {
        let program = &*format!("{folder}/ann/.cargo/bin/p2pchat-x");
        let system = installation(Scope::System, Manager::Systemd, program);
        let error = system.check_reach().unwrap_err().to_string();
        assert!(
            error.contains(&format!("install -m 755 {program}")),
            "{error}"
        );
        let user = installation(Scope::User, Manager::Systemd, program);
        assert!(user.check_reach().is_ok());
    }
    let fine = installation(Scope::System, Manager::Systemd, "/homeless/x");
    assert!(fine.check_reach().is_ok());
}

#[test]
fn the_unit_of_a_package_is_used_and_stays() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("usr/lib/systemd/system");
    fs::create_dir_all(&folder).unwrap();
    let unit = "[Service]\nExecStart=/usr/bin/p2pchat-x\nUser=x\n";
    fs::write(folder.join("p2pchat-x.service"), unit).unwrap();
    let root = Box::leak(root.path().to_str().unwrap().into());
    let of = |program: &str| {
        let mut system = installation(Scope::System, Manager::Systemd, program);
        system.service.root = root;
        system
    };
    let packaged = of("/usr/bin/p2pchat-x");
    assert_eq!(packaged.unit(), unit);
    assert!(packaged.is_there());
    assert!(!shown(&packaged.install()).contains("write"));
    assert!(!shown(&packaged.uninstall(false)).contains("remove"));
    let other = of("/usr/local/bin/p2pchat-x");
    assert!(shown(&other.install()).contains("would write"));
}

#[test]
fn on_macos_it_is_an_agent_of_the_user() {
    let user = installation(Scope::User, Manager::Launchd, "/opt/a&b/p2pchat-x");
    let steps = shown(&user.install());
    let plist = "would write /h/Library/LaunchAgents/p2pchat-x.plist:\n";
    assert!(steps.starts_with(plist), "{steps}");
    assert!(
        steps.contains("<string>/opt/a&amp;b/p2pchat-x</string>"),
        "{steps}"
    );
    assert!(
        steps.contains("would run launchctl bootstrap gui/"),
        "{steps}"
    );
    let system = installation(Scope::System, Manager::Launchd, "/opt/x");
    let error = system.check_agent().unwrap_err().to_string();
    assert!(error.contains("without sudo"), "{error}");
}

#[test]
fn steps_are_done_one_after_the_other_until_one_fails() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a/b");
    let run = |words: &[&str]| Step::Run(words.iter().map(ToString::to_string).collect());
    let write = Step::Write(file.clone(), "text".to_owned());
    let Step::Run(fails) = run(&["sh", "-c", "echo no >&2; exit 1"]) else {
        unreachable!();
    };
    carry_out(&[write, Step::Try(fails.clone()), run(&["true"])]).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "text");
    let error = carry_out(&[Step::Run(fails), Step::Remove(file.clone())]).unwrap_err();
    assert!(error.to_string().ends_with("failed: no"), "{error}");
    assert!(file.exists());
    carry_out(&[Step::Remove(file.clone()), Step::Remove(file.clone())]).unwrap();
    assert!(!file.exists());
}

#[test]
fn options_that_the_service_would_not_have_are_refused() {
    use crate::{Manual, Section};
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct X {
        #[arg(long, default_value = "1")]
        number: u32,
    }
    impl Program for X {
        const SECTION: Section = Section::Bridge;
        const MANUAL: Manual = Manual::NONE;
    }
    let check = |line: &[&str], scope| {
        let given = crate::options::read_in::<X>(line.iter(), &Environment::default()).unwrap();
        check_options::<X>(&given.places, scope, "FILE").map_err(|error| error.to_string())
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.toml");
    fs::write(&file, "[bridge]\nnumber = 3\n").unwrap();
    assert_eq!(check(&["x"], Scope::System), Ok(()));
    let error = check(&["x", "--number=2"], Scope::User).unwrap_err();
    assert!(error.starts_with("--number is given here"), "{error}");
    let file = format!("--config={}", Path::new(&file).display());
    let error = check(&["x", &file], Scope::User).unwrap_err();
    assert!(error.starts_with("--config is given here"), "{error}");
    let error = check(&["x", &file], Scope::System).unwrap_err();
    assert!(error.starts_with("--number is given here"), "{error}");
}
