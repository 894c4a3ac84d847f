//! Clients that don't do as clients do: bytes on a connection of their own, which takes only a few at
//! a time.

use reqwest::Method;
use tests::Actor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// What asks for a WebSocket.
pub const UPGRADE: &[(&str, &[u8])] = &[
    ("connection", b"Upgrade"),
    ("upgrade", b"websocket"),
    ("sec-websocket-version", b"13"),
    ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
];

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;

/// A frame of the server's.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The code that it closes with, if it does.
    pub fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk::<2>();
        code.filter(|_| self.first == CLOSE)
            .map(|code| u16::from_be_bytes(*code))
    }
}

/// Sends a GET as somebody, with these headers beside.
pub async fn ask(who: &Actor, path: &str, headers: &[(&str, &[u8])]) -> TcpStream {
    let asked = who.request(Method::GET, path).build().unwrap();
    let url = asked.url();
    let address = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let target = url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    );
    let mut head = format!("GET {target} HTTP/1.1\r\n").into_bytes();
    let own = asked.headers().iter();
    let own = own.map(|(name, value)| (name.as_str(), value.as_bytes()));
    for (name, value) in own.chain(headers.iter().copied()) {
        head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    head.extend(b"\r\n");
    stream.write_all(&head).await.unwrap();
    stream
}

/// The status of the answer, its head being read and no more.
pub async fn status(stream: &mut TcpStream) -> u16 {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("an answer"));
    }
    let head = String::from_utf8(head).unwrap();
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A frame as clients send them: masked.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..65536 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    let mask = [7_u8, 77, 177, 250];
    bytes.extend(mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What the server said until the connection ended, frame by frame.
pub async fn frames_to_the_end(stream: &mut TcpStream) -> Vec<Frame> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece).await {
            // It may be reset, with what we sent still unread.
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
    let (mut frames, mut rest) = (Vec::new(), &bytes[..]);
    while let Some((frame, after)) = split_frame(rest) {
        frames.push(frame);
        rest = after;
    }
    assert!(rest.is_empty(), "{} bytes are no frame", rest.len());
    frames
}

fn split_frame(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (&[first, short], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match short {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        short => (usize::from(short), rest),
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    let payload = payload.to_vec();
    Some((Frame { first, payload }, rest))
}
