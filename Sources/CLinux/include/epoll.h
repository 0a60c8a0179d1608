// epoll and eventfd. struct epoll_event is packed on x86-64 and holds a union: Swift reads it through functions.
#ifndef CLINUX_EPOLL_H
#define CLINUX_EPOLL_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static inline int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

/// operation: 1 add, 2 remove, 3 modify (EPOLL_CTL_*).
static inline int clinux_epoll_control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = token;
    return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline int clinux_epoll_wait(int epoll, struct epoll_event *events, int count, int timeout_ms) {
    return epoll_wait(epoll, events, count, timeout_ms);
}

/// The same to the nanosecond; in whole milliseconds, rounded up, on kernels before 5.11.
int clinux_epoll_wait_exactly(int epoll, struct epoll_event *events, int count, int64_t nanoseconds);

static inline uint64_t clinux_epoll_token(const struct epoll_event *event) { return event->data.u64; }
static inline uint32_t clinux_epoll_events(const struct epoll_event *event) { return event->events; }

static inline int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

#endif
