//! launchd of macOS: an agent of a user.

use std::path::PathBuf;

use p2pchat_platform::process::user_id;

use super::{Installation, Scope, ServiceError, Step};

impl Installation {
    pub(super) fn check_agent(&self) -> Result<(), ServiceError> {
        match self.scope {
            Scope::User => Ok(()),
            Scope::System => Err(ServiceError::NoManager(
                "on macOS it is a service of a user: run this without sudo".to_owned(),
                self.program.clone(),
            )),
        }
    }

    pub(super) fn install_agent(&self) -> Vec<Step> {
        let file = self.agent_path();
        let path = file.to_string_lossy().into_owned();
        vec![
            Step::Write(file, self.agent()),
            // One that runs may be an older version.
            Step::Try(Self::launchctl(&["bootout", &self.target()])),
            Step::Run(Self::launchctl(&["bootstrap", &Self::domain(), &path])),
        ]
    }

    pub(super) fn uninstall_agent(&self) -> Vec<Step> {
        vec![
            Step::Try(Self::launchctl(&["bootout", &self.target()])),
            Step::Remove(self.agent_path()),
        ]
    }

    pub(super) fn advice_on_agent(&self) -> Vec<String> {
        let name = self.service.name;
        vec![
            format!("{name} is a service of yours, from each login on."),
            format!("Its log: ~/Library/Logs/{name}.log"),
            format!("To stop it: launchctl bootout {}", self.target()),
            format!("To remove it: {} uninstall", self.program.display()),
        ]
    }

    pub(super) fn launchctl(words: &[&str]) -> Vec<String> {
        let words = ["launchctl"].iter().chain(words);
        words.map(ToString::to_string).collect()
    }

    /// The session of the user.
    fn domain() -> String {
        format!("gui/{}", user_id().unwrap_or_default())
    }

    fn target(&self) -> String {
        format!("{}/{}", Self::domain(), self.service.name)
    }

    pub(super) fn agent_path(&self) -> PathBuf {
        let folder = self.home.join("Library/LaunchAgents");
        folder.join(format!("{}.plist", self.service.name))
    }

    /// The property list. The address that a bridge prints goes to a file of the user.
    pub(super) fn agent(&self) -> String {
        let name = self.service.name;
        let logs = self.home.join("Library/Logs");
        let program = escaped(&self.program.to_string_lossy());
        let log = escaped(&logs.join(format!("{name}.log")).to_string_lossy());
        let out = escaped(&logs.join(format!("{name}.out")).to_string_lossy());
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>{name}</string>
  <key>ProgramArguments</key>
  <array>
    <string>{program}</string>
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardOutPath</key>
  <string>{out}</string>
  <key>StandardErrorPath</key>
  <string>{log}</string>
</dict>
</plist>
"#
        )
    }
}

/// A text as XML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
