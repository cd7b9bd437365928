//! A local network: hosts at a switch, and what can happen to cables.

use std::net::Ipv4Addr;

use anyhow::Result;
use p2pchat_testkit::Namespace;

/// A host: a network namespace with one interface, `eth0`.
#[derive(Debug)]
pub(super) struct Host {
    /// Its address, 10.0.0.NUMBER of a /24.
    pub(super) address: Ipv4Addr,
    number: u8,
    space: Namespace,
}

impl Host {
    /// A machine that is switched on, its interface not yet connected to anything.
    pub(super) fn new(number: u8) -> Result<Self> {
        Ok(Self {
            address: Self::address_of(number),
            number,
            space: Namespace::new()?,
        })
    }

    /// The address of the host of this number.
    pub(super) fn address_of(number: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, 0, number)
    }

    /// Lays a cable from here to an interface `port` of `other`.
    pub(super) fn connect(&self, other: &Namespace, port: &str) -> Result<()> {
        // The same number always has the same hardware address, so that no ARP
        // cache tells that it is another machine after a restart.
        let hardware = format!("02:00:0a:00:00:{:02x}", self.number);
        other.ip(&format!(
            "link add {port} type veth peer name eth0 address {hardware} netns {}\n\
             link set {port} up",
            self.space.path()
        ))?;
        self.space.ip(&format!(
            "link set lo up\naddr add {}/24 dev eth0\nlink set eth0 up",
            self.address
        ))
    }

    /// Takes it out of the network: it has no address, and no route.
    pub(super) fn leave(&self) -> Result<()> {
        self.space.ip("addr flush dev eth0")
    }

    /// Gives it the address of another number, as another network would.
    pub(super) fn move_to(&mut self, number: u8) -> Result<()> {
        self.leave()?;
        self.address = Self::address_of(number);
        self.space
            .ip(&format!("addr add {}/24 dev eth0", self.address))
    }

    /// Does something on this machine; see [`Namespace::inside`].
    pub(super) fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Result<T> {
        self.space.inside(act)
    }

    fn port(&self) -> String {
        format!("port{}", self.number)
    }
}

/// Hosts at a switch, which is this process's own network.
#[derive(Debug)]
pub(super) struct Lan {
    switch: Namespace,
}

impl Lan {
    /// A switch without hosts.
    pub(super) fn new() -> Result<Self> {
        let switch = Namespace::here()?;
        switch.ip("link add lan type bridge\nlink set lan up")?;
        Ok(Self { switch })
    }

    /// A new host at the switch.
    pub(super) fn host(&self, number: u8) -> Result<Host> {
        let host = Host::new(number)?;
        host.connect(&self.switch, &host.port())?;
        self.rejoin(&host)?;
        Ok(host)
    }

    /// Pulls the host's cable: its interface knows.
    pub(super) fn unplug(&self, host: &Host) -> Result<()> {
        self.switch.ip(&format!("link set {} down", host.port()))
    }

    /// Puts it back.
    pub(super) fn plug(&self, host: &Host) -> Result<()> {
        self.switch.ip(&format!("link set {} up", host.port()))
    }

    /// Cuts the host off somewhere behind the switch: its interface knows nothing.
    pub(super) fn cut_off(&self, host: &Host) -> Result<()> {
        self.switch
            .ip(&format!("link set {} nomaster", host.port()))
    }

    /// Connects it again.
    pub(super) fn rejoin(&self, host: &Host) -> Result<()> {
        self.switch
            .ip(&format!("link set {} master lan", host.port()))
    }

    /// Takes the power from a host: not another packet comes from it, whatever still runs
    /// on it. A [`Lan::host`] of its number is the machine started again.
    pub(super) fn power_off(&self, host: &Host) -> Result<()> {
        self.switch.ip(&format!("link del {}", host.port()))
    }

    /// From now on the switch loses this part of all packets, ARP and UDP too. A packet
    /// between two hosts crosses it once.
    pub(super) fn lose(&self, percent: u8) -> Result<()> {
        self.switch.nft(&format!(
            "table bridge lan {{\n chain crossing {{\n  type filter hook forward priority 0;\n  \
             numgen random mod 100 < {percent} drop\n }}\n}}\n"
        ))
    }
}
