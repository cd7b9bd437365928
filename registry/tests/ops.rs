//! The files for operators: what they name is there, and what reads them takes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use clap::CommandFactory;
use p2pchat_registry::Options;
use p2pchat_registry::options::Cli;
use p2pchat_settings::options::{self, Environment};
use p2pchat_testkit::skip;
use yaml_rust2::{Yaml, YamlLoader};

use crate::balancer;
use crate::support::http::Scrape;
use crate::support::program::text;
use crate::support::server::TestServer;

const PREFIX: &str = "p2pchat_registry_";
/// What `systemd-analyze security` may find, of 100: the network, which it needs.
const EXPOSURE: &str = "20";

pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

pub(crate) fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn yaml(name: &str) -> Yaml {
    let documents = YamlLoader::load_from_str(&read(name));
    let mut documents = documents.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

/// The names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(PREFIX)
        .map(|(at, _)| text[at..].split(|c| !in_name(c)).next().unwrap().to_owned())
        .collect()
}

/// All that a registry exposes, the cluster's included.
fn exposed() -> Scrape {
    let server =
        TestServer::start_with(|options| options.metrics = Some("127.0.0.1:0".parse().unwrap()));
    server.metrics.cluster().synced(Duration::ZERO);
    Scrape::of(server.watched.unwrap())
}

/// Runs an external checker; `None` if it is not installed.
pub(crate) fn run(program: &str, args: &[&str]) -> Option<Output> {
    match Command::new(program).args(args).output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skip(&format!("{program} is not installed"));
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

fn accepted(output: &Output) {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
}

#[test]
fn dashboard_and_alerts_ask_only_for_what_there_is() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("ops/grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array());
    let queries: Vec<&str> = targets
        .flatten()
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(queries.len() >= 20, "{queries:?}");
    let ids: BTreeSet<u64> = panels
        .iter()
        .map(|panel| panel["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");

    let scrape = exposed();
    let there: BTreeSet<String> = scrape.names().into_iter().collect();
    for query in &queries {
        let asked = metrics_in(query);
        assert!(!asked.is_empty(), "{query}");
        assert!(
            asked.is_subset(&there),
            "{query} asks for {asked:?} of {there:?}"
        );
    }
    for name in ["ops/grafana-dashboard.json", "ops/alerts.yml"] {
        let asked = metrics_in(&read(name));
        let known =
            |asked: &&String| there.contains(*asked) || asked.as_str() == "p2pchat_registry_";
        assert!(asked.iter().all(|name| known(&name)), "{name}: {asked:?}");
    }
    let shown = metrics_in(&queries.join(" "));
    let shown: Vec<&String> = (scrape.families.keys())
        .filter(|family| !shown.iter().any(|name| name.starts_with(*family)))
        .collect();
    assert_eq!(
        shown,
        ["p2pchat_registry_build_info"],
        "not on the dashboard"
    );
}

#[test]
fn the_table_of_metrics_is_complete_and_right() {
    let page = read("docs/operations.md");
    let (_, table) = page
        .split_once("| name | type | labels | meaning |")
        .unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let told: Vec<(String, String)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (
                format!("{PREFIX}{}", cells[1].trim_matches('`')),
                cells[2].to_owned(),
            )
        })
        .collect();
    let told: BTreeSet<_> = told.into_iter().collect();
    let there: BTreeSet<_> = exposed().families.into_iter().collect();
    assert_eq!(told, there);
}

#[test]
fn each_alert_is_explained() {
    let alerts = yaml("ops/alerts.yml");
    let rules = alerts["groups"][0]["rules"].as_vec().unwrap();
    assert!(rules.len() >= 8);
    let page = read("docs/operations.md");
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(page.contains(&format!("| `{name}` |")), "{name}");
        assert!(rule["annotations"]["summary"].as_str().is_some(), "{name}");
    }
}

#[test]
fn each_file_says_what_it_is_for() {
    let files: Vec<PathBuf> = std::fs::read_dir(path("ops"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 10, "{files:?}");
    for file in files {
        let content = std::fs::read_to_string(&file).unwrap();
        let mut lines = content.lines().filter(|line| !line.starts_with("#!"));
        let head = lines.next().unwrap();
        let says = match file.extension() {
            Some(ext) if ext == "json" => content.contains("\"__comment\": "),
            _ => head.starts_with("# ") || head.starts_with("// "),
        };
        assert!(says, "{}: {head}", file.display());
    }
}

/// The command line of each registry in compose.yaml.
fn composed() -> Vec<Options> {
    let compose = yaml("ops/compose.yaml");
    let services = compose["services"].as_hash().unwrap();
    let store = compose["x-registry"]["environment"]["P2PCHAT_STORE"]
        .as_str()
        .unwrap();
    let environment = Environment {
        variables: [("P2PCHAT_STORE".to_owned(), store.into())].into(),
        ..Environment::default()
    };
    let named = |name: &Yaml| name.as_str().unwrap().starts_with("registry");
    services
        .iter()
        .filter(|(name, _)| named(name))
        .map(|(_, service)| {
            let args = service["command"].as_vec().unwrap();
            let args = args.iter().map(|arg| arg.as_str().unwrap());
            let line = [&["p2pchat-registry"][..], &args.collect::<Vec<_>>()].concat();
            let given = options::read_in::<Cli>(line, &environment);
            given.unwrap().options.options
        })
        .collect()
}

#[test]
fn compose_nginx_and_prometheus_agree_on_where_the_registries_are() {
    let registries = composed();
    assert_eq!(registries.len(), 3);
    let nginx = read("ops/nginx.conf");
    let prometheus = yaml("ops/prometheus.yml");
    let scraped = &prometheus["scrape_configs"][1]["static_configs"][0]["targets"];
    let scraped: Vec<&str> = scraped
        .as_vec()
        .unwrap()
        .iter()
        .map(|t| t.as_str().unwrap())
        .collect();
    let compose = read("ops/compose.yaml");
    for registry in &registries {
        for address in [registry.tcp, registry.udp] {
            assert!(nginx.contains(&format!("server {address} ")), "{address}");
        }
        let metrics = registry.metrics.unwrap();
        assert!(scraped.contains(&metrics.to_string().as_str()), "{metrics}");
        let ready = format!("--metrics, \"{metrics}\", ready]");
        assert!(compose.contains(&ready), "{ready}");
    }
    assert_eq!(nginx.matches("server 127.").count(), 6);
    assert_eq!(scraped.len(), 3);
}

#[test]
fn what_compose_mounts_and_builds_is_there() {
    let compose = read("ops/compose.yaml");
    let mounted = compose
        .split("./")
        .skip(1)
        .map(|rest| format!("ops/{}", rest.split(':').next().unwrap()));
    let built = yaml("ops/compose.yaml")["x-registry"]["build"]["dockerfile"].clone();
    let files: Vec<String> = mounted.chain(built.into_string()).collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        assert!(path(&file).is_file(), "{file}");
    }
}

#[test]
fn the_unit_sets_options_that_there_are() {
    let unit = read("ops/p2pchat-registry.service");
    let command = Cli::command();
    let known: Vec<String> = options::options(&command)
        .map(|arg| options::variable_of(arg.get_long().unwrap()))
        .collect();
    let set = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    let set: Vec<&str> = set.map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(set.len(), 3);
    assert!(
        set.iter()
            .all(|name| known.iter().any(|known| known == name)),
        "{set:?}"
    );
    for name in read("docs/operations.md").split("P2PCHAT_").skip(1) {
        let end = name
            .find(|c: char| !c.is_ascii_uppercase() && c != '_')
            .unwrap();
        let name = format!("P2PCHAT_{}", &name[..end]);
        assert!(known.contains(&name), "{name}");
    }
}

/// The lines of a section of the unit.
fn section<'a>(unit: &'a str, name: &str) -> Vec<&'a str> {
    let lines = unit.lines().skip_while(|line| *line != name).skip(1);
    lines.take_while(|line| !line.starts_with('[')).collect()
}

#[test]
fn whatever_starts_a_registry_starts_it_again_and_never_gives_up() {
    let unit = read("ops/p2pchat-registry.service");
    let [head, service] = ["[Unit]", "[Service]"].map(|name| section(&unit, name));
    // In the wrong section it would be ignored.
    assert!(head.contains(&"StartLimitIntervalSec=0"), "{head:?}");
    assert!(head.contains(&"Wants=network-online.target"), "{head:?}");
    assert!(service.contains(&"Restart=always"), "{service:?}");
    let pause = service
        .iter()
        .find_map(|line| line.strip_prefix("RestartSec="));
    let pause: u32 = pause.unwrap().parse().unwrap();
    assert!((2..=30).contains(&pause), "no flood of attempts: {pause} s");
    let told = format!("starts the registry again {pause} seconds after");
    assert!(read("docs/operations.md").contains(&told), "{told}");

    let compose = yaml("ops/compose.yaml");
    let services = compose["services"].as_hash().unwrap();
    assert!(services.len() >= 8);
    for (name, service) in services {
        let name = name.as_str().unwrap();
        // A merge key may bring the policy in.
        let shared = match name {
            _ if name.starts_with("registry") => &compose["x-registry"],
            _ if name.starts_with("mongo") => &compose["x-mongo"],
            _ => service,
        };
        let policy = shared["restart"].as_str();
        // It makes the replica set and ends.
        let expected = if name == "replica-set" {
            "no"
        } else {
            "unless-stopped"
        };
        assert_eq!(policy, Some(expected), "{name}");
        assert!(
            service["restart"].is_badvalue() || service["restart"].as_str() == policy,
            "{name}"
        );
    }
    // What is started again must not take the network of others with it.
    let holders = services.iter().filter_map(|(name, service)| {
        let name = name.as_str().unwrap();
        let shared = if name.starts_with("registry") {
            &compose["x-registry"]
        } else {
            service
        };
        Some((name, shared["network_mode"].as_str()?))
    });
    let holders: Vec<_> = holders.collect();
    assert!(holders.len() >= 5, "{holders:?}");
    for (name, mode) in holders {
        assert_eq!(mode, "service:network", "{name}");
    }
    let idle = services[&Yaml::String("network".to_owned())]["entrypoint"][0].as_str();
    assert_eq!(idle, Some("tail"));

    for file in ["ops/Containerfile", "docs/operations.md"] {
        let text = read(file);
        let started = text.lines().filter(|line| line.contains("docker run -d"));
        assert!(
            started
                .clone()
                .all(|line| line.contains(" --restart unless-stopped")),
            "{file}"
        );
        assert!(file != "ops/Containerfile" || started.count() == 1);
    }
}

#[test]
fn systemd_takes_the_unit_and_finds_it_well_closed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p2pchat-registry.service");
    // What it runs has to be there.
    let program = env!("CARGO_BIN_EXE_p2pchat-registry");
    let unit = read("ops/p2pchat-registry.service");
    let unit = unit.replace("=/usr/local/bin/p2pchat-registry", &format!("={program}"));
    assert!(unit.contains(program));
    std::fs::write(&file, unit).unwrap();
    let Some(output) = run("systemd-analyze", &["verify", "--man=no", text(&file)]) else {
        return;
    };
    accepted(&output);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let threshold = format!("--threshold={EXPOSURE}");
    let args = [
        "security",
        "--offline=true",
        "--no-pager",
        &threshold,
        text(&file),
    ];
    accepted(&run("systemd-analyze", &args).unwrap());
}

#[test]
fn systemd_takes_the_unit_of_the_bridge_for_a_user() {
    let unit = read("ops/p2pchat-bridge.service");
    let [head, service] = ["[Unit]", "[Service]"].map(|name| section(&unit, name));
    assert!(head.contains(&"StartLimitIntervalSec=0"), "{head:?}");
    assert!(service.contains(&"Restart=always"), "{service:?}");
    // The URL lets in everyone who has it.
    let url = "%t/p2pchat-bridge.url";
    let output = format!("StandardOutput=truncate:{url}");
    assert!(service.contains(&output.as_str()), "{service:?}");
    let told = format!("cat {}", url.replace("%t", "$XDG_RUNTIME_DIR"));
    assert!(unit.contains(&told) && read("README.md").contains(&told));

    systemd_takes("p2pchat-bridge", &unit);
}

#[test]
fn systemd_takes_the_unit_of_a_registry_for_a_user() {
    let unit = read("ops/p2pchat-registry-user.service");
    let [head, service] = ["[Unit]", "[Service]"].map(|name| section(&unit, name));
    assert!(head.contains(&"StartLimitIntervalSec=0"), "{head:?}");
    assert!(service.contains(&"Restart=always"), "{service:?}");
    systemd_takes("p2pchat-registry", &unit);
}

/// Asks systemd whether it takes a unit of a user, if it is here.
fn systemd_takes(name: &str, unit: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{name}.service"));
    // What it runs has to be there; which program does not matter.
    let program = env!("CARGO_BIN_EXE_p2pchat-registry");
    let unit = unit.replace(&format!("=%h/.cargo/bin/{name}"), &format!("={program}"));
    assert!(unit.contains(program));
    std::fs::write(&file, unit).unwrap();
    let runtime = format!("XDG_RUNTIME_DIR={}", text(folder.path()));
    let verify = ["systemd-analyze", "--user", "verify", "--man=no"];
    let args = [&[runtime.as_str()], &verify[..], &[text(&file)]].concat();
    if run("systemd-analyze", &["--version"]).is_none() {
        return;
    }
    let output = run("env", &args).unwrap();
    accepted(&output);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn docker_takes_the_compose_file() {
    let Some(output) = run("docker", &["compose", "version"]) else {
        return;
    };
    if !output.status.success() {
        skip("docker has no compose");
        return;
    }
    let file = path("ops/compose.yaml");
    let args = [
        "compose",
        "--profile",
        "watch",
        "--file",
        text(&file),
        "config",
        "--quiet",
    ];
    accepted(&run("docker", &args).unwrap());
}

#[test]
fn prometheus_takes_its_files() {
    for (check, file) in [
        ("config", "ops/prometheus.yml"),
        ("rules", "ops/alerts.yml"),
    ] {
        let file = path(file);
        let Some(output) = run("promtool", &["check", check, text(&file)]) else {
            return;
        };
        accepted(&output);
    }
}

#[test]
fn nginx_takes_the_balancers_file() {
    let folder = tempfile::tempdir().unwrap();
    if let Some(output) = balancer::check(folder.path()) {
        accepted(&output);
    }
}
