#include "include/clock.h"
#include <string.h>
#include <sys/timex.h>

int clinux_clock_is_synchronised(void) {
    struct timex state;
    memset(&state, 0, sizeof state);
    // Without modes it only reads, which needs no privilege.
    if (adjtimex(&state) < 0) return -1;
    return (state.status & STA_UNSYNC) == 0;
}
