// What the kernel thinks of its own clock.
#ifndef CLINUX_CLOCK_H
#define CLINUX_CLOCK_H

/// Whether somebody keeps the time of day right: 1 yes, 0 no, -1 with errno where it can't be asked.
int clinux_clock_is_synchronised(void);

#endif
