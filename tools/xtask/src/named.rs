//! What somebody names on the command line, one of several.

use clap::ValueEnum;

/// A choice by its name. The programs that `xtask` starts know it by the same one.
pub(crate) trait Named: ValueEnum {
    /// As it is called on the command line, here and there.
    fn name(&self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// What it is, in the words of its help.
    fn what(&self) -> String {
        let value = self.to_possible_value();
        let help = value.as_ref().and_then(|value| value.get_help());
        help.map(ToString::to_string).unwrap_or_default()
    }
}

impl<T: ValueEnum> Named for T {}
