//! What the man pages say beyond the options.

use p2pchat_settings::Manual;

mod json;

pub(crate) const MANUAL: Manual = Manual {
    examples: &[
        (
            "p2pchat --registry 192.168.1.10",
            "Chat with the people on a registry; without --registry, on that of the config file:",
        ),
        (
            "p2pchat --profile bob --registry 192.168.1.10",
            "A second person on this machine:",
        ),
        (
            "p2pchat send --to bob --wait delivered --timeout 10s \"lunch at noon?\"",
            "Send a text from a script, and wait until bob has it:",
        ),
        (
            "uptime | p2pchat send --conversation \"Release team\"",
            "Send what another program prints to a group:",
        ),
        (
            "p2pchat history --conversation bob --find lunch",
            "Search the conversation with bob:",
        ),
        (
            "p2pchat export --format json bob bob.jsonl",
            "Write all messages of a conversation to a file, for programs:",
        ),
        (
            "p2pchat watch --json",
            "Print each event as a line of JSON:",
        ),
        (
            "p2pchat identity export me.key",
            "Take your key to another computer of yours:",
        ),
        (
            "p2pchat identity import me.key",
            "On the other computer, make that key yours too:",
        ),
        (
            "p2pchat verify bob 1244 0915 3048 5415 5287",
            "Mark the key of bob as verified, after you have compared codes:",
        ),
    ],
    config: "registry = \"192.168.1.10\"\nuser = \"alice\"\nbell = false",
    files: &[
        (
            "~/.local/share/p2pchat/",
            "The profile, if --profile names no other: keys, known registries, conversations \
             (`conversations.db`), messages of the open chat (`history.sqlite3`) and blocked users \
             (`blocks.sqlite3`).",
        ),
        (
            "~/.local/share/p2pchat/profiles/NAME/",
            "The profile that --profile NAME names.",
        ),
    ],
    see_also: &[
        "p2pchat-json(7)",
        "p2pchat-bridge(1)",
        "p2pchat-registry(1)",
    ],
    more: || vec![json::page()],
};
