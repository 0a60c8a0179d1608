#define _GNU_SOURCE
#include "include/sockets.h"
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int keep_error(int descriptor) {
    int saved = errno;
    close(descriptor);
    errno = saved;
    return -1;
}

int clinux_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    memset(peer, 0, sizeof *peer);
    return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Fills `storage` from a numeric address and returns its length; 0 with EINVAL for an address that is none.
static socklen_t tcp_address(const char *address, uint16_t port, struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof *storage);
    struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;
    int is_v6 = strchr(address, ':') != NULL;
    storage->ss_family = is_v6 ? AF_INET6 : AF_INET;
    if (inet_pton(storage->ss_family, address, is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr) != 1) {
        errno = EINVAL;
        return 0;
    }
    *(is_v6 ? &v6->sin6_port : &v4->sin_port) = htons(port);
    return is_v6 ? sizeof *v6 : sizeof *v4;
}

void clinux_prepare_listener(int descriptor) {
    int on = 1, idle = 60, interval = 15, probes = 4;
    // Accepted sockets inherit all of them; on a Unix socket the calls fail and do no harm.
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

int clinux_is_listening(int descriptor) {
    int value = 0;
    socklen_t length = sizeof value;
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &value, &length) != 0 || value != SOCK_STREAM) return 0;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) != 0) return 0;
    return value != 0;
}

int clinux_address_text(const uint8_t *bytes, int count, uint16_t port, char *text, int size) {
    char address[INET6_ADDRSTRLEN] = "";
    if (inet_ntop(count == 4 ? AF_INET : AF_INET6, bytes, address, sizeof address) == NULL) return 0;
    return snprintf(text, size, count == 4 ? "%s:%u" : "[%s]:%u", address, port);
}

int clinux_listen_tcp(const char *address, uint16_t port) {
    struct sockaddr_storage bound;
    socklen_t length = tcp_address(address, port, &bound);
    if (length == 0) return -1;
    int descriptor = socket(bound.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    int on = 1;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bound.ss_family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(descriptor, (struct sockaddr *)&bound, length) != 0) return keep_error(descriptor);
    clinux_prepare_listener(descriptor);
    if (listen(descriptor, CLINUX_BACKLOG) != 0) return keep_error(descriptor);
    return descriptor;
}

int clinux_connect_tcp(const char *address, uint16_t port) {
    struct sockaddr_storage peer;
    socklen_t length = tcp_address(address, port, &peer);
    if (length == 0) return -1;
    int descriptor = socket(peer.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&peer, length) != 0 && errno != EINPROGRESS) {
        return keep_error(descriptor);
    }
    return descriptor;
}

int clinux_connect_result(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int clinux_resolve(const char *host, char *text, int size) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int error = getaddrinfo(host, NULL, &hints, &found);
    if (error != 0) return error;
    int used = 0;
    text[0] = 0;
    for (struct addrinfo *next = found; next != NULL && error == 0; next = next->ai_next) {
        char address[NI_MAXHOST];
        error = getnameinfo(next->ai_addr, next->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST);
        int length = (int)strlen(address) + 1;
        if (error != 0 || used + length >= size) break;
        used += snprintf(text + used, size - used, "%s\n", address);
    }
    freeaddrinfo(found);
    return error;
}

const char *clinux_resolve_error(int code) { return gai_strerror(code); }

static int unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address->sun_path, path);
    return 0;
}

int clinux_connect_unix(const char *path) {
    struct sockaddr_un address;
    if (unix_address(path, &address) != 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) return keep_error(descriptor);
    return descriptor;
}

int clinux_listen_unix(const char *path, unsigned int mode) {
    struct sockaddr_un address;
    if (unix_address(path, &address) != 0) return -1;
    struct stat existing;
    if (lstat(path, &existing) == 0 && S_ISSOCK(existing.st_mode)) {
        // A socket that nobody answers on is left over from a crash; one that answers is somebody's.
        int other = clinux_connect_unix(path);
        if (other >= 0) {
            close(other);
            errno = EADDRINUSE;
            return -1;
        }
        unlink(path);
    }
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return -1;
    // Nobody but the owner can connect before the mode is set.
    mode_t before = umask(0177);
    int result = bind(descriptor, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (result != 0) return keep_error(descriptor);
    if (chmod(path, mode) != 0 || listen(descriptor, CLINUX_BACKLOG) != 0) return keep_error(descriptor);
    return descriptor;
}

int clinux_peer_text(const struct sockaddr_storage *peer, char *text, int size) {
    char address[INET6_ADDRSTRLEN] = "";
    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;
        inet_ntop(AF_INET, &v4->sin_addr, address, sizeof address);
        return snprintf(text, size, "%s:%u", address, ntohs(v4->sin_port));
    }
    if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
        inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof address);
        return snprintf(text, size, "[%s]:%u", address, ntohs(v6->sin6_port));
    }
    return snprintf(text, size, "local");
}

int clinux_peer_is_loopback(const struct sockaddr_storage *peer) {
    if (peer->ss_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)peer)->sin_addr.s_addr) >> 24 == 127;
    }
    if (peer->ss_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)peer)->sin6_addr);
    }
    return 1;
}

uint16_t clinux_local_port(int descriptor) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) return 0;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

int clinux_set_no_delay(int descriptor) {
    int on = 1;
    return setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}
