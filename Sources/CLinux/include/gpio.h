// Lines of GPIO character devices, uAPI version 2 (Linux 5.10 and later), as plain structs without unions.
#ifndef CLINUX_GPIO_H
#define CLINUX_GPIO_H

#include <stdint.h>

struct clinux_gpio_chip {
    char name[32];
    char label[32];
    uint32_t lines;
};

struct clinux_gpio_line {
    /// Empty where the board names it not.
    char name[32];
    /// Who holds it, empty where that did not say its name.
    char consumer[32];
    /// The bits of enum gpio_v2_line_flag.
    uint64_t flags;
    uint32_t debounce_us;
};

/// One line of a request.
struct clinux_gpio_wanted {
    uint32_t offset;
    uint32_t debounce_us;
    /// The bits of enum gpio_v2_line_flag.
    uint64_t flags;
    /// The first level of an output: whether it is active.
    uint8_t is_active;
};

struct clinux_gpio_event {
    uint64_t nanoseconds;
    uint32_t offset;
    uint32_t number;
    uint32_t line_number;
    uint8_t is_rising;
};

int clinux_gpio_chip(int chip, struct clinux_gpio_chip *info);
int clinux_gpio_line(int chip, uint32_t offset, struct clinux_gpio_line *info);

/// Requests lines under a consumer's name; returns a new non-blocking descriptor, which holds them.
///
/// E2BIG where they are too many or differ in too many ways for one request.
int clinux_gpio_request(int chip, const char *consumer, const struct clinux_gpio_wanted *lines, int count,
                        uint32_t event_buffer);

/// The levels of the request's lines, a bit for each in the order of the request.
int clinux_gpio_get(int lines, uint64_t mask, uint64_t *bits);
int clinux_gpio_set(int lines, uint64_t mask, uint64_t bits);

/// Reads up to `count` (at most 64) edges; returns how many, or -1.
int clinux_gpio_read(int lines, struct clinux_gpio_event *events, int count);

#endif
