#define _GNU_SOURCE
#include "include/epoll.h"
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clinux_epoll_wait_exactly(int epoll, struct epoll_event *events, int count, int64_t nanoseconds) {
#ifdef SYS_epoll_pwait2
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    long ready = syscall(SYS_epoll_pwait2, epoll, events, count, &timeout, NULL, (size_t)8);
    if (ready >= 0 || (errno != ENOSYS && errno != EPERM)) return (int)ready;
#endif
    return epoll_wait(epoll, events, count, (int)((nanoseconds + 999999) / 1000000));
}
