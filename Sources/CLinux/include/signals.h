// Signals as something to read, and the service manager's socket.
#ifndef CLINUX_SIGNALS_H
#define CLINUX_SIGNALS_H

#include <stddef.h>

/// Blocks the signals on this thread, and on those it starts later, and returns a signalfd that reads them.
int clinux_signalfd(const int *signals, int count);

/// The next pending signal; 0 if there is none, -1 with errno.
int clinux_next_signal(int descriptor);

void clinux_ignore_broken_pipes(void);

/// Sends one datagram to a Unix socket; a path that begins with '@' is an abstract name.
int clinux_send_datagram(const char *path, const char *text, size_t length);

#endif
