//! The commands `install` and `uninstall`: the bridge as a service of its user.

use std::io::Write;

use p2pchat_settings::service::{
    Installation, Manager, Scope, Service, ServiceError, carry_out, check_options, show,
};

use crate::Settings;
use crate::options::{Options, Task};

const SERVICE: Service = Service {
    name: "p2pchat-bridge",
    system_unit: "",
    user_unit: include_str!("../../ops/p2pchat-bridge.service"),
    root: "/",
};

/// Where its options are.
const OPTIONS: &str = "the section [bridge] of ~/.config/p2pchat/config.toml";

/// Makes the bridge a service, or removes that.
///
/// # Errors
/// If that does not work.
pub fn run(task: &Task, settings: &Settings, out: &mut impl Write) -> Result<(), ServiceError> {
    let manager = Manager::of_system();
    let installation = Installation::new(SERVICE, Scope::User, manager)?;
    let (steps, dry_run) = match task {
        Task::Install { dry_run } => {
            check_options::<Options>(&settings.places, Scope::User, OPTIONS)?;
            (installation.install(), *dry_run)
        }
        Task::Uninstall { dry_run } => (installation.uninstall(false), *dry_run),
    };
    if dry_run {
        return show(&steps, out);
    }
    installation.find_manager()?;
    let was_there = installation.is_there();
    if was_there || matches!(task, Task::Install { .. }) {
        carry_out(&steps)?;
    }
    match task {
        Task::Install { .. } => {
            for line in installation.advice() {
                writeln!(out, "{line}")?;
            }
            let url = match manager {
                Manager::Systemd => "$XDG_RUNTIME_DIR/p2pchat-bridge.url",
                Manager::Launchd => "~/Library/Logs/p2pchat-bridge.out",
            };
            writeln!(out, "The page is at the URL that this prints:\ncat {url}")?;
        }
        Task::Uninstall { .. } if was_there => {
            writeln!(out, "p2pchat-bridge is no service any more.")?;
        }
        Task::Uninstall { .. } => writeln!(out, "p2pchat-bridge was no service.")?,
    }
    Ok(())
}
