//! What `--help` and the man pages say beyond the options.

use p2pchat_settings::Manual;

/// How the program ends.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done: a signal stopped it, in order; or the command did what it was asked for
  1  it could not start or not go on (address in use, accounts that cannot be opened, …)
  2  the command line is wrong
  3  install: nothing here starts services, neither systemd nor launchd";

pub(crate) const MANUAL: Manual = Manual {
    examples: &[
        (
            "p2pchat-registry",
            "Serve the people on this network, with accounts in a file of this user:",
        ),
        (
            "p2pchat-registry --store /srv/p2pchat/accounts.sqlite3 --metrics 127.0.0.1:9131",
            "Keep the accounts elsewhere, and serve measurements to Prometheus:",
        ),
        (
            "sudo p2pchat-registry install",
            "Run it as a service of this system, from each boot on:",
        ),
        (
            "p2pchat-registry install --dry-run",
            "Show what would be written and run for a service of this user:",
        ),
        (
            "p2pchat-registry users add alice",
            "Create an account, also while the registry runs; the password is asked for:",
        ),
        (
            "p2pchat-registry users devices alice",
            "Show the devices that sign in as alice:",
        ),
        (
            "p2pchat-registry fingerprint chat.example",
            "Print what users need to know this registry by:",
        ),
    ],
    config: "store = \"/srv/p2pchat/accounts.sqlite3\"\npresence-timeout = 90",
    files: &[
        (
            "~/.local/share/p2pchat/registry.sqlite3",
            "The accounts, if --store does not name another place.",
        ),
        (
            "~/.local/share/p2pchat/registry.sqlite3.key",
            "The key of the registry, by which users know it. Back it up with the accounts.",
        ),
        (
            "/etc/p2pchat/registry.env",
            "The options of the service of the system, as environment variables. Its accounts and \
             its key are in `/var/lib/p2pchat-registry/`.",
        ),
    ],
    see_also: &["p2pchat(1)", "p2pchat-bridge(1)"],
    more: Vec::new,
};
