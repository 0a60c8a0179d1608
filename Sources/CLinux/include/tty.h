// Serial lines: termios2, whose struct termios clashes with glibc's, and the RS-485 and exclusive-open ioctls.
#ifndef CLINUX_TTY_H
#define CLINUX_TTY_H

#include <stdint.h>

/// A serial line's settings, as plain numbers.
struct clinux_line {
    uint32_t baud;
    uint8_t data_bits;
    /// 0 none, 1 even, 2 odd.
    uint8_t parity;
    uint8_t stop_bits;
    /// 0 none, 1 RTS/CTS, 2 XON/XOFF.
    uint8_t flow;
    /// Whether the last close drops DTR and RTS (HUPCL).
    uint8_t drops_dtr;
};

/// Sets the line raw with these settings, through termios2 so that any baud rate can be asked for.
int clinux_tty_set(int descriptor, const struct clinux_line *line);

/// Reads the settings back as the driver took them.
int clinux_tty_get(int descriptor, struct clinux_line *line);

/// Refuses further opens by everybody but root (TIOCEXCL), or allows them again.
int clinux_tty_exclusive(int descriptor, int exclusive);

/// Raises or drops DTR.
int clinux_tty_dtr(int descriptor, int on);

/// Takes flock's exclusive lock without waiting, which also root's programs respect.
int clinux_lock(int descriptor);

/// Throws away what was received and not read.
int clinux_tty_flush_input(int descriptor);

// How many bytes came with a wrong parity or without a stop bit since the driver was loaded; -1 where it does not count.
int clinux_tty_line_errors(int descriptor);

/// Whether the descriptor is an end of a pseudo-terminal that programs open.
int clinux_tty_is_pseudo(int descriptor);

/// Sets the driver to RS-485 with RTS as the direction line; -1 with ENOTTY where the driver has no such thing.
int clinux_tty_rs485(int descriptor, int enabled, int rts_on_send, uint32_t before_ms, uint32_t after_ms);

/// A new pseudo-terminal: returns the main side, non-blocking, and opens the other side raw in `other`.
///
/// `path` receives the other side's path.
int clinux_pty_open(int *other, char *path, int size);

#endif
