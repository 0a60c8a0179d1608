// Socket calls whose arguments are structures or flags that Swift can't name well.
#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int clinux_accept(int listener, struct sockaddr_storage *peer);

/// A bound, listening TCP socket; `address` is numeric. -1 with errno, EINVAL for an address that is none.
int clinux_listen_tcp(const char *address, uint16_t port);

/// How many connections wait to be accepted; the kernel takes the lower of this and net.core.somaxconn.
#define CLINUX_BACKLOG 8192

/// No delay, and keep-alive after a minute, for the sockets that a listener will accept.
void clinux_prepare_listener(int descriptor);

/// Whether it is a listening stream socket.
int clinux_is_listening(int descriptor);

/// An address of four or sixteen bytes as text, with its port; returns its length.
int clinux_address_text(const uint8_t *bytes, int count, uint16_t port, char *text, int size);

/// A bound, listening Unix socket with the file mode; a stale socket file in its place is removed.
int clinux_listen_unix(const char *path, unsigned int mode);

/// A TCP socket that is connecting to a numeric address, without waiting.
int clinux_connect_tcp(const char *address, uint16_t port);

/// How a connection attempt ended: 0 or an errno.
int clinux_connect_result(int descriptor);

/// The numeric addresses of a host name, one a line, as many as fit; blocks.
/// Returns 0 or a getaddrinfo error, EAI_SYSTEM with errno.
int clinux_resolve(const char *host, char *text, int size);

/// The sentence for a getaddrinfo error.
const char *clinux_resolve_error(int code);

/// A connected Unix socket.
int clinux_connect_unix(const char *path);

/// The numeric address and port of a peer as text: "192.0.2.1:1883", "[::1]:1883", "local". Returns its length.
int clinux_peer_text(const struct sockaddr_storage *peer, char *text, int size);

/// Whether the peer is on this machine.
int clinux_peer_is_loopback(const struct sockaddr_storage *peer);

/// The local port of a TCP socket, or 0.
uint16_t clinux_local_port(int descriptor);

int clinux_set_no_delay(int descriptor);

#endif
