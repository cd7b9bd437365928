//! A client of bytes made by hand: it shares no code with the registry, so that a mistake in
//! the protocol crate shows.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::SOON;

/// The bytes of a golden vector, which Python made.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/protocol/tests/vectors.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let vector = vectors
        .as_array()
        .unwrap()
        .iter()
        .find(|vector| vector["name"] == name);
    let hex = vector.unwrap_or_else(|| panic!("no vector {name}"))["hex"]
        .as_str()
        .unwrap();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn field(text: &[u8], width: usize) -> Vec<u8> {
    assert!(text.len() <= width);
    let mut field = text.to_vec();
    field.resize(width, 0);
    field
}

/// A request by hand: type, name `10s`, data `15s`, key.
pub(crate) fn request(kind: u8, name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Vec<u8> {
    [
        &[kind][..],
        &field(name.as_ref(), 10),
        &field(data.as_ref(), 15),
        &[15],
    ]
    .concat()
}

/// A response without a list by hand: type, status, message `15s`, key.
pub(crate) fn response(kind: u8, status: u8, message: &str) -> Vec<u8> {
    [&[kind, status][..], &field(message.as_bytes(), 15), &[15]].concat()
}

pub(crate) const REGISTER: u8 = 0;
pub(crate) const LOGIN: u8 = 1;
pub(crate) const SEARCH: u8 = 2;
pub(crate) const LOGOUT: u8 = 3;
pub(crate) const ALL_ONLINE: u8 = 4;

/// A TCP connection to a registry.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    /// Connects from 127.0.0.1.
    pub(crate) fn connect(to: SocketAddr) -> Self {
        Self::connect_from(Ipv4Addr::LOCALHOST, to)
    }

    /// Connects from a loopback address.
    pub(crate) fn connect_from(from: Ipv4Addr, to: SocketAddr) -> Self {
        Self::try_connect_from(from, to).unwrap()
    }

    /// Connects to a registry that may reset the connection at once.
    pub(crate) fn try_connect_from(from: Ipv4Addr, to: SocketAddr) -> io::Result<Self> {
        Self::start(from, to, None)
    }

    /// Connects with a small receive buffer.
    pub(crate) fn connect_deaf(to: SocketAddr) -> Self {
        Self::start(Ipv4Addr::LOCALHOST, to, Some(2048)).unwrap()
    }

    fn start(from: Ipv4Addr, to: SocketAddr, room: Option<usize>) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Some(room) = room {
            socket.set_recv_buffer_size(room)?;
        }
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect_timeout(&to.into(), SOON)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(SOON))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends to a registry that may be dead already.
    pub(crate) fn send_or_fail(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next 18 bytes.
    pub(crate) fn head(&mut self) -> Vec<u8> {
        let mut head = vec![0; 18];
        self.stream.read_exact(&mut head).unwrap();
        head
    }

    /// The next 18 bytes, `None` if the connection ends or nothing comes in time.
    pub(crate) fn try_head(&mut self, timeout: Duration) -> Option<Vec<u8>> {
        self.stream.set_read_timeout(Some(timeout)).unwrap();
        let mut head = vec![0; 18];
        let read = self.stream.read_exact(&mut head);
        self.stream.set_read_timeout(Some(SOON)).unwrap();
        read.ok().map(|()| head)
    }

    /// Whether the registry has closed the connection or reset it, and nothing is left to
    /// read.
    pub(crate) fn is_closed(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        match peeked {
            Ok(length) => length == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Sends one byte if the system takes it without waiting; `false` once the connection
    /// is lost.
    pub(crate) fn is_open_for(&mut self, byte: u8) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let sent = self.stream.write(&[byte]);
        self.stream.set_nonblocking(false).unwrap();
        sent.is_ok() || matches!(sent, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Whether nothing has come yet.
    pub(crate) fn is_waiting(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// What one `recv(1024)` gives: all that a legacy client ever reads.
    pub(crate) fn recv(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 1024];
        let length = self.stream.read(&mut buffer).unwrap();
        buffer.truncate(length);
        buffer
    }

    /// Sends a request and returns the 18 bytes that come back.
    pub(crate) fn ask(&mut self, kind: u8, name: &str, data: &str) -> Vec<u8> {
        self.send(&request(kind, name, data));
        self.head()
    }

    /// Sends a request and returns the status that comes back.
    pub(crate) fn status(&mut self, kind: u8, name: &str, data: &str) -> u8 {
        let head = self.ask(kind, name, data);
        assert_eq!(head[0], kind, "a response is of the type of its request");
        head[1]
    }

    pub(crate) fn register_and_login(&mut self, name: &str, password: &str) {
        assert_eq!(self.status(REGISTER, name, password), 20);
        assert_eq!(self.status(LOGIN, name, password), 21);
    }

    /// The online list, entry by entry.
    pub(crate) fn online(&mut self) -> Vec<String> {
        self.send(&request(ALL_ONLINE, "x", "All"));
        let bytes = self.recv();
        let list = String::from_utf8(bytes[18..].to_vec()).unwrap();
        list.split_terminator(" \t\n ").map(str::to_owned).collect()
    }
}

/// A datagram socket at a loopback address.
pub(crate) struct Beacon {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Beacon {
    pub(crate) fn new(from: Ipv4Addr, to: SocketAddr) -> Self {
        Self {
            socket: UdpSocket::bind((from, 0)).unwrap(),
            to,
        }
    }

    pub(crate) fn hello(&self, name: &str) {
        self.send(
            &[
                &[5][..],
                &field(name.as_bytes(), 10),
                &field(b"HELLO", 10),
                &[15],
            ]
            .concat(),
        );
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.to).unwrap();
    }
}
