//! The image of the registry: what `ops/Containerfile` says, without a container engine. Its root
//! has the static program of the tarball and an empty folder for data, and no shell.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::time::{interval, timeout};

use super::root::{Root, User};
use crate::steps::Steps;
use crate::{cargo, demo, process};

/// How many steps there are.
pub(super) const STEPS: usize = 1;
/// The time between two health checks, and the most time until one finds the registry healthy.
const EVERY: Duration = Duration::from_millis(500);
const START: Duration = Duration::from_secs(10);

/// Runs the step.
pub(super) async fn run(steps: &mut Steps, tarball: &Path) {
    steps
        .run(
            "image",
            "the registry's image starts and is healthy",
            image(tarball),
        )
        .await;
}

/// What an image is made of.
#[derive(Debug)]
struct Image {
    environment: Vec<(String, String)>,
    user: User,
    entrypoint: Vec<String>,
    health: Vec<String>,
}

impl Image {
    /// Reads the last stage of a Containerfile.
    fn parse(text: &str) -> Result<Self> {
        let (_, stage) = text
            .rsplit_once("\nFROM scratch\n")
            .context("it is not from scratch")?;
        let all = |word: &str| -> Vec<&str> {
            let lines = stage.lines().filter_map(|line| line.strip_prefix(word));
            lines.map(str::trim).collect()
        };
        let one = |word: &str| {
            all(word)
                .first()
                .copied()
                .with_context(|| format!("no {word}"))
        };
        let variables = all("ENV ").into_iter().map(|line| line.split_once('='));
        let environment = variables.map(|pair| pair.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let (user, group) = one("USER ")?.split_once(':').context("no group")?;
        let (_, health) = one("HEALTHCHECK ")?
            .split_once("CMD ")
            .context("no command")?;
        Ok(Self {
            environment: environment.collect::<Option<_>>().context("no value")?,
            user: User::System(user.parse()?, group.parse()?),
            entrypoint: serde_json::from_str(one("ENTRYPOINT ")?)?,
            health: serde_json::from_str(health)?,
        })
    }

    fn command(&self, root: &Root, words: &[String]) -> Result<Command> {
        let (program, arguments) = words.split_first().context("no program")?;
        let mut command = root.command(self.user, program)?;
        command.args(arguments).env_remove("HOME");
        command.envs(self.environment.iter().cloned());
        Ok(command)
    }
}

async fn image(tarball: &Path) -> Result<()> {
    let image = Image::parse(&fs::read_to_string(
        cargo::root().join("ops/Containerfile"),
    )?)?;
    let root = Root::empty().await?;
    fs::create_dir_all(root.path("/usr/local/bin"))?;
    let mut tar = Command::new("tar");
    tar.args(["--strip-components=1", "--wildcards", "-xzf"])
        .arg(tarball);
    tar.arg("-C")
        .arg(root.path("/usr/local/bin"))
        .arg("*/p2pchat-registry");
    process::output(&mut tar).await?;
    fs::create_dir(root.path("/data"))?;
    let [user, group] = image.user.ids();
    ensure!(user != 0, "it runs as root");
    chown(root.path("/data"), Some(user), Some(group))?;
    let (_registry, line) = demo::start(&mut image.command(&root, &image.entrypoint)?).await?;
    println!("{line}");
    let mut times = interval(EVERY);
    let healthy = async {
        loop {
            times.tick().await;
            match process::output(&mut image.command(&root, &image.health)?).await {
                Ok(answer) => return anyhow::Ok(answer),
                Err(error) => println!("{error:#}"),
            }
        }
    };
    let answer = timeout(START, healthy)
        .await
        .context("it is not healthy")??;
    println!("{}: {}", image.health.join(" "), answer.trim());
    ensure!(
        root.path("/data/accounts.sqlite3").is_file(),
        "no accounts in /data"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_containerfile_says_what_runs_and_that_it_is_not_root() {
        let text = fs::read_to_string(cargo::root().join("ops/Containerfile")).unwrap();
        let image = Image::parse(&text).unwrap();
        assert_ne!(image.user.ids(), [0, 0]);
        assert_eq!(image.entrypoint, ["p2pchat-registry"]);
        assert_eq!(image.health, ["p2pchat-registry", "ready"]);
        let names: Vec<&str> = image
            .environment
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["PATH", "P2PCHAT_STORE", "P2PCHAT_METRICS"]);
        assert!(Image::parse(&text.replace("FROM scratch", "FROM debian")).is_err());
    }
}
