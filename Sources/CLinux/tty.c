#define _GNU_SOURCE
#include "include/tty.h"
// The kernel's own termbits, not <termios.h>: both declare struct termios, only this one has termios2.
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <linux/serial.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// The kernel's own answer, and nobody else's: what mocks devices in a process (umockdev) answers ioctl(2) itself.
#define control(descriptor, ...) ((int)syscall(SYS_ioctl, (descriptor), __VA_ARGS__))

static tcflag_t size_flag(int bits) { return bits == 5 ? CS5 : bits == 6 ? CS6 : bits == 7 ? CS7 : CS8; }

static void make_raw(struct termios2 *tty) {
    tty->c_iflag = IGNBRK;
    tty->c_oflag = 0;
    tty->c_lflag = 0;
    tty->c_cflag = CREAD | CLOCAL;
    // With VMIN 0 a non-blocking read of an idle line returns 0, as it does when the device is gone. With 1 it says
    // EAGAIN, and 0 means gone.
    tty->c_cc[VMIN] = 1;
    tty->c_cc[VTIME] = 0;
}

int clinux_tty_set(int descriptor, const struct clinux_line *line) {
    struct termios2 tty;
    if (control(descriptor, TCGETS2, &tty) != 0) return -1;
    make_raw(&tty);
    tty.c_cflag |= size_flag(line->data_bits) | BOTHER;
    if (line->parity) tty.c_cflag |= PARENB | (line->parity == 2 ? PARODD : 0);
    // Bytes with a parity error are dropped: a frame that lacks one is refused by its checksum.
    if (line->parity) tty.c_iflag |= INPCK | IGNPAR;
    if (line->stop_bits == 2) tty.c_cflag |= CSTOPB;
    if (line->flow == 1) tty.c_cflag |= CRTSCTS;
    if (line->flow == 2) tty.c_iflag |= IXON | IXOFF;
    if (line->drops_dtr) tty.c_cflag |= HUPCL;
    // Input speed 0 bits mean: the same as output.
    tty.c_ospeed = line->baud;
    tty.c_ispeed = line->baud;
    return control(descriptor, TCSETS2, &tty);
}

int clinux_tty_get(int descriptor, struct clinux_line *line) {
    struct termios2 tty;
    if (control(descriptor, TCGETS2, &tty) != 0) return -1;
    tcflag_t size = tty.c_cflag & CSIZE;
    line->baud = tty.c_ospeed;
    line->data_bits = size == CS5 ? 5 : size == CS6 ? 6 : size == CS7 ? 7 : 8;
    line->parity = !(tty.c_cflag & PARENB) ? 0 : tty.c_cflag & PARODD ? 2 : 1;
    line->stop_bits = tty.c_cflag & CSTOPB ? 2 : 1;
    line->flow = tty.c_cflag & CRTSCTS ? 1 : tty.c_iflag & IXON ? 2 : 0;
    line->drops_dtr = (tty.c_cflag & HUPCL) != 0;
    return 0;
}

int clinux_tty_exclusive(int descriptor, int exclusive) {
    return control(descriptor, exclusive ? TIOCEXCL : TIOCNXCL, 0);
}

int clinux_tty_dtr(int descriptor, int on) {
    int line = TIOCM_DTR;
    return control(descriptor, on ? TIOCMBIS : TIOCMBIC, &line);
}

int clinux_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }
int clinux_tty_flush_input(int descriptor) { return control(descriptor, TCFLSH, TCIFLUSH); }

int clinux_tty_is_pseudo(int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || !S_ISCHR(status.st_mode)) return 0;
    unsigned int kind = major(status.st_rdev);
    return kind >= UNIX98_PTY_SLAVE_MAJOR && kind < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

int clinux_tty_rs485(int descriptor, int enabled, int rts_on_send, uint32_t before_ms, uint32_t after_ms) {
    struct serial_rs485 mode;
    if (control(descriptor, TIOCGRS485, &mode) != 0) return -1;
    mode.flags &= ~(SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND | SER_RS485_RTS_AFTER_SEND | SER_RS485_RX_DURING_TX);
    if (enabled) mode.flags |= SER_RS485_ENABLED | (rts_on_send ? SER_RS485_RTS_ON_SEND : SER_RS485_RTS_AFTER_SEND);
    mode.delay_rts_before_send = before_ms;
    mode.delay_rts_after_send = after_ms;
    return control(descriptor, TIOCSRS485, &mode);
}

static int keep_error(int descriptor) {
    int saved = errno;
    close(descriptor);
    errno = saved;
    return -1;
}

int clinux_pty_open(int *other, char *path, int size) {
    int main_side = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (main_side < 0) return -1;
    if (grantpt(main_side) != 0 || unlockpt(main_side) != 0) return keep_error(main_side);
    int error = ptsname_r(main_side, path, size);
    if (error != 0) {
        errno = error;
        return keep_error(main_side);
    }
    *other = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (*other < 0) return keep_error(main_side);
    // Raw from the start: a cooked pty echoes to its device what the device says.
    struct clinux_line line = {.baud = 9600, .data_bits = 8, .stop_bits = 1};
    if (clinux_tty_set(*other, &line) != 0) {
        keep_error(*other);
        return keep_error(main_side);
    }
    return main_side;
}

int clinux_tty_line_errors(int descriptor) {
    struct serial_icounter_struct counts;
    if (control(descriptor, TIOCGICOUNT, &counts) != 0) return -1;
    return counts.frame + counts.parity;
}
