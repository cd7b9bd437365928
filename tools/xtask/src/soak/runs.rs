//! The runs that there are.

use clap::ValueEnum;

/// A run, in the order in which they run: the shorter ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Run {
    /// The registry on its own store, killed again and again
    Crash,
    /// MongoDB killed under the registry
    MongoCrash,
    /// The primary of a replica set killed under the registry
    ReplicaSet,
    /// Three registries over a replica set, killed and cut off part by part
    Cluster,
    /// Peers killed while they write their history
    HistoryCrash,
    /// A disk that is full under the registry and under a history
    FullDisk,
    /// Floods of connections and datagrams at the registry
    Floods,
    /// Guessed passwords: how fast, and what the clock tells
    Guessing,
    /// Hosts in network namespaces, whose cables are pulled
    Network,
    /// A network of simulated peers, with ten thousand seeds
    Simulation,
    /// Simulated registries over one database, with ten thousand seeds
    ClusterSimulation,
    /// Two hundred peers that chat, with programs killed and connections cut
    Chat,
}

/// What starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `p2pchat-soak`, by the name of the run.
    Soak {
        /// Whether it draws from a seed.
        seed: bool,
        /// Whether it can be told how long to take.
        minutes: bool,
    },
    /// A test of this name, of this package.
    Simulation(&'static str, &'static str),
}

impl Run {
    pub(super) fn kind(self) -> Kind {
        let [seed, minutes] = match self {
            Self::Simulation => return Kind::Simulation("p2pchat-peer", "simulation"),
            Self::ClusterSimulation => {
                return Kind::Simulation("p2pchat-registry", "cluster_simulation");
            }
            Self::Crash
            | Self::MongoCrash
            | Self::ReplicaSet
            | Self::HistoryCrash
            | Self::Guessing => [true, false],
            Self::Chat => [true, true],
            Self::Cluster | Self::FullDisk | Self::Floods | Self::Network => [false, false],
        };
        Kind::Soak { seed, minutes }
    }

    pub(super) fn needs_mongod(self) -> bool {
        matches!(self, Self::MongoCrash | Self::ReplicaSet | Self::Cluster)
    }

    pub(super) fn has_seed(self) -> bool {
        matches!(self.kind(), Kind::Soak { seed: true, .. })
    }

    pub(super) fn has_minutes(self) -> bool {
        matches!(self.kind(), Kind::Soak { minutes: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::named::Named;

    #[test]
    fn every_run_has_a_name_and_says_what_it_is() {
        let runs = Run::value_variants();
        assert!(runs.iter().all(|run| !run.what().is_empty()));
        assert_eq!(Run::MongoCrash.name(), "mongo-crash");
    }
}
