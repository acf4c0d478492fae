//! Where to listen, as an operator writes it.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

/// Why a text is no address to listen on.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It is not a host and a port.
    #[error("`{0}` is not HOST:PORT, such as 127.0.0.1:7440, [::1]:7440 or localhost:7440")]
    Form(String),
    /// The host has no address that is known here.
    #[error("`{host}` can't be resolved: {source}")]
    Host {
        /// The host.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// It is an address that others can reach.
    #[error(
        "{0} is not a loopback address (127.0.0.1, [::1]): connections are not encrypted, so no others \
         are served"
    )]
    NotLoopback(SocketAddr),
}

/// Reads `HOST:PORT`: an IP address (of IPv6 in brackets) or a name, which is resolved now. If a name has several
/// addresses, one of IPv4 is taken, so that `localhost:7440` is what it is by default: `127.0.0.1:7440`.
///
/// # Errors
/// If the text is no host and port, the name can't be resolved, or the address is not a loopback one.
pub fn parse_address(text: &str) -> Result<SocketAddr, AddressError> {
    let address = match text.parse() {
        Ok(address) => address,
        Err(_) => resolve(text)?,
    };
    if !is_loopback(address) {
        return Err(AddressError::NotLoopback(address));
    }
    Ok(address)
}

/// Whether only this machine can reach the address.
pub(super) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn resolve(text: &str) -> Result<SocketAddr, AddressError> {
    let form = || AddressError::Form(text.to_owned());
    let (host, port) = text.rsplit_once(':').ok_or_else(form)?;
    let port: u16 = port.parse().map_err(|_| form())?;
    // An IPv6 address without brackets would be cut in its middle.
    if host.is_empty() || host.contains([':', '[', ']', '/', ' ']) {
        return Err(form());
    }
    let failed = |source| AddressError::Host {
        host: host.to_owned(),
        source,
    };
    let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(failed)?.collect();
    let v4 = found.iter().find(|address| address.is_ipv4());
    let none = || failed(io::Error::other("it has no address"));
    v4.or(found.first()).copied().ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases = [
            ("127.0.0.1:7440", Ok("127.0.0.1:7440")),
            ("127.1.2.3:0", Ok("127.1.2.3:0")),
            ("[::1]:7440", Ok("[::1]:7440")),
            ("[::ffff:127.0.0.1]:7440", Ok("[::ffff:127.0.0.1]:7440")),
            ("localhost:7440", Ok("127.0.0.1:7440")),
            ("LOCALHOST:0", Ok("127.0.0.1:0")),
            ("localhost", Err("is not HOST:PORT")),
            ("7440", Err("is not HOST:PORT")),
            (":7440", Err("is not HOST:PORT")),
            ("localhost:", Err("is not HOST:PORT")),
            ("localhost:http", Err("is not HOST:PORT")),
            ("localhost:65536", Err("is not HOST:PORT")),
            ("localhost:-1", Err("is not HOST:PORT")),
            ("::1:7440", Err("is not HOST:PORT")),
            ("http://localhost:7440", Err("is not HOST:PORT")),
            ("", Err("is not HOST:PORT")),
            ("no-such-host.invalid:7440", Err("can't be resolved")),
            ("0.0.0.0:7440", Err("not a loopback address")),
            ("[::]:7440", Err("not a loopback address")),
            ("192.0.2.1:7440", Err("not a loopback address")),
        ];
        for (text, expected) in cases {
            match (parse_address(text), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.to_string(), expected, "{text}"),
                (Err(error), Err(part)) => {
                    assert!(error.to_string().contains(part), "{text}: {error}");
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
