// Declarations of the Linux kernel and glibc that Swift's Glibc module lacks or can't express.
#ifndef CLINUX_H
#define CLINUX_H

#include "clock.h"
#include "epoll.h"
#include "gpio.h"
#include "process.h"
#include "signals.h"
#include "sockets.h"
#include "tty.h"

#endif
