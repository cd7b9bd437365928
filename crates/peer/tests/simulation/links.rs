//! The connections between peers and the registry, and the hellos beside them.

use std::time::Duration;

use p2pchat_peer::machine::Input;
use p2pchat_protocol::{Hello, Request, Response};

use super::schedule::{Process, SimEvent};
use super::world::World;

/// One connection to the registry, or the attempt to make one.
pub(crate) struct Link {
    process: Process,
    /// Whether the registry took it and has not lost it.
    pub(crate) taken: bool,
    /// An answer that a confused registry gives after the next one.
    pub(crate) held: Option<Response>,
    /// Nothing overtakes what arrives at the registry then, and at the peer then.
    up_to: (Duration, Duration),
}

/// How a connection to the registry goes on.
#[derive(Debug)]
pub(crate) enum LinkStage {
    /// The attempt arrives at the registry.
    Connect,
    /// The peer learns that it succeeded.
    Up,
    /// A request arrives at the registry.
    Ask(Request),
    /// A response arrives at the peer.
    Answer(Response),
    /// The peer learns that it is no more.
    Down(&'static str),
}

impl World {
    /// How long a connection may take to be made before it counts as failed.
    const CONNECT: Duration = Duration::from_secs(5);
    /// The longest that a system takes to notice a connection that goes nowhere.
    const NOTICE: Duration = Duration::from_secs(60);

    pub(crate) fn connect_registry(&mut self, process: Process) {
        let link = self.links.len();
        self.links.push(Link {
            process,
            taken: false,
            held: None,
            up_to: (Duration::ZERO, Duration::ZERO),
        });
        self.peers[process.seat].set_link(Some(link));
        let delay = self.delay();
        self.link_after(delay, link, LinkStage::Connect);
    }

    pub(crate) fn disconnect_registry(&mut self, process: Process) {
        self.peers[process.seat].set_link(None);
    }

    pub(crate) fn ask(&mut self, process: Process, request: Request) {
        let Some(link) = self.peers[process.seat].link() else {
            return;
        };
        let arrival = self.now() + self.delay();
        let floor = &mut self.links[link].up_to.0;
        *floor = arrival.max(*floor);
        let delay = *floor - self.now();
        self.link_after(delay, link, LinkStage::Ask(request));
    }

    pub(crate) fn send_hello(&mut self, process: Process, hello: Hello) {
        if !self.rng.hits(self.weather.hello_loss) {
            let delay = self.delay();
            self.schedule
                .after(delay, SimEvent::Hello(process.seat, hello));
        }
    }

    pub(crate) fn hello_arrives(&mut self, seat: usize, hello: Hello) {
        if !self.registry.down && !self.is_cut_off(seat) {
            let (now, from) = (self.now(), self.peers[seat].address);
            self.registry.hear(now, from, &hello);
        }
    }

    pub(crate) fn link_goes_on(&mut self, link: usize, stage: LinkStage) {
        let process = self.links[link].process;
        let at_registry = matches!(stage, LinkStage::Connect | LinkStage::Ask(_));
        if !at_registry && let Some(wait) = self.wakes_in(process) {
            // What waits comes in its order.
            return self.link_after(wait, link, stage);
        }
        let cut = self.is_cut_off(process.seat);
        match stage {
            LinkStage::Connect => self.link_connects(link, cut),
            LinkStage::Ask(_) if cut => self.link_goes_nowhere(link),
            LinkStage::Ask(request) if self.links[link].taken => {
                self.registry_answers(link, &request);
            }
            // A registry that was started again knows nothing of this connection.
            LinkStage::Ask(_) if !self.registry.down => {
                let delay = self.delay();
                self.link_after(delay, link, LinkStage::Down("reset"));
            }
            LinkStage::Ask(_) => {}
            LinkStage::Up => self.link_feeds(link, Input::RegistryUp),
            LinkStage::Answer(_) if cut => self.link_goes_nowhere(link),
            LinkStage::Answer(response) => self.link_feeds(link, Input::Response(response)),
            LinkStage::Down(reason) => {
                let reason = reason.to_owned();
                self.links[link].taken = false;
                self.link_feeds(link, Input::RegistryDown { reason });
            }
        }
    }

    /// All connections to the registry break: it has stopped.
    pub(crate) fn registry_drops_links(&mut self) {
        for link in 0..self.links.len() {
            if std::mem::take(&mut self.links[link].taken) {
                let delay = self.delay();
                self.link_after(delay, link, LinkStage::Down("closed by the registry"));
            }
        }
    }

    /// The connection of one peer breaks.
    pub(crate) fn break_link(&mut self, seat: usize) {
        if let Some(link) = self.peers[seat].link()
            && self.links[link].taken
        {
            self.link_after(Duration::ZERO, link, LinkStage::Down("reset"));
        }
    }

    fn link_connects(&mut self, link: usize, cut: bool) {
        let delay = self.delay();
        if cut {
            self.link_after(Self::CONNECT, link, LinkStage::Down("timed out"));
        } else if self.registry.down || self.rng.hits(self.weather.loss) {
            self.link_after(delay, link, LinkStage::Down("refused"));
        } else {
            self.links[link].taken = true;
            self.links[link].up_to.1 = self.now() + delay;
            self.link_after(delay, link, LinkStage::Up);
        }
    }

    fn registry_answers(&mut self, link: usize, request: &Request) {
        let (now, process) = (self.now(), self.links[link].process);
        let from = self.peers[process.seat].address;
        let response = self.registry.answer(now, link, from, request);
        let arrival = now + self.thinking() + self.delay();
        let floor = &mut self.links[link].up_to.1;
        *floor = arrival.max(*floor);
        let delay = *floor - now;
        for response in self.really_sent(link, response) {
            self.link_after(delay, link, LinkStage::Answer(response));
        }
    }

    /// Something was lost in a partition. The systems at both ends try again and give up.
    fn link_goes_nowhere(&mut self, link: usize) {
        if std::mem::take(&mut self.links[link].taken) {
            let delay = self.rng.between(Self::CONNECT, Self::NOTICE);
            self.link_after(delay, link, LinkStage::Down("timed out"));
        }
    }

    /// Tells the peer, unless it has given up this connection meanwhile.
    fn link_feeds(&mut self, link: usize, input: Input) {
        let process = self.links[link].process;
        if !self.is_running(process) || self.peers[process.seat].link() != Some(link) {
            return;
        }
        if matches!(input, Input::RegistryDown { .. }) {
            self.peers[process.seat].set_link(None);
        }
        self.feed(process, input);
    }

    fn link_after(&mut self, delay: Duration, link: usize, stage: LinkStage) {
        self.schedule.after(delay, SimEvent::Link(link, stage));
    }
}
