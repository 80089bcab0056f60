//! Strangers at every listener of the service, and addresses that a route may not have.

use std::{
    io::{ErrorKind, Read, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
};

use crate::world::{LIMIT, World, http, until};

/// The other side ends the connection.
fn ends(mut stream: impl Read) -> String {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        Ok(_) | Err(_) => String::from_utf8_lossy(&said).into_owned(),
    }
}

#[test]
fn floods_on_every_listener_reach_its_limits_and_nobody_else() {
    let world = World::new();
    let token = world.adopt();
    let service = world.serve_with(&[
        "--set=gateway_limits.connections=16",
        "--set=gateway_limits.head_secs=1",
        "--set=gateway_limits.body_bytes=100000",
        "--set=public_limits.connections=16",
        "--set=public_limits.head_secs=1",
        "--set=public_limits.body_bytes=1000",
    ]);
    let begin = |address: &str, bytes: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        // It may be let go before it has said a word.
        stream.write_all(bytes).ok();
        stream
    };
    let mut slow = Vec::new();
    for _ in 0..40 {
        slow.push(begin(&service.gateway, b"GET /bot"));
        slow.push(begin(&service.public, b"POST /hooks/telegram/1 HTTP/1.1\r\n"));
    }
    world.client_says("hello");
    let updates = service.call(&token, "getUpdates?timeout=30");
    assert_eq!(updates["result"][0]["message"]["text"], "hello", "{updates}");
    assert_eq!(http(&service.public, "GET", "/healthz", "").0, 200);

    let hook = format!("/hooks/telegram/{}", world.bot());
    assert_eq!(http(&service.public, "POST", &hook, &"x".repeat(2000)).0, 413);
    assert_eq!(
        http(&service.gateway, "POST", &format!("/bot{token}/sendMessage"), &"x".repeat(200_000)).0,
        413
    );
    let chunked = format!("POST {hook} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunks = [chunked.as_bytes(), b"2000\r\n", &[b'x'; 0x2000], b"\r\n0\r\n\r\n"].concat();
    let stranger = begin(&service.public, &chunks);
    stranger.shutdown(std::net::Shutdown::Write).unwrap();
    let said = ends(stranger);
    assert!(said.starts_with("HTTP/1.1 401 "), "nothing is read without proof: {said}");

    for bytes in
        [&b"\0\x01\x02\r\n\r\n"[..], b"GET /metrics HTTP/1.1\r\n\r\n", b"POST /perform HTTP/1.1\r\nX"]
    {
        let mut control = UnixStream::connect(world.path("tandem.db.sock")).unwrap();
        control.set_read_timeout(Some(LIMIT)).unwrap();
        control.write_all(bytes).unwrap();
        control.shutdown(std::net::Shutdown::Write).unwrap();
        let said = ends(control);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 40"), "{said}");
    }
    world.run(&["bots"]).done();
    for stream in slow {
        assert_eq!(ends(stream), "");
    }
}

#[test]
fn a_route_to_a_private_address_is_not_posted_to_unless_the_operator_allows_it() {
    let world = World::with_amocrm();
    world.adopt();
    let service = world.serve_with(&["--set=security.allow_private_addresses=false"]);
    world.client_says("hello");
    until("the refusal to be shown", || {
        world.run(&["lanes", "--json"]).done().contains(
            "IP address is reserved: private addresses are not allowed here; \
             security.allow_private_addresses = true allows them",
        )
    });
    assert!(!world.amocrm_chats().contains("hello"));
    drop(service);
    let _service = world.serve();
    until("amoCRM to have it", || world.amocrm_chats().contains("hello"));
}
