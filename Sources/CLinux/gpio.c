#define _GNU_SOURCE
#include "include/gpio.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int clinux_gpio_chip(int chip, struct clinux_gpio_chip *info) {
    struct gpiochip_info answer;
    memset(&answer, 0, sizeof answer);
    if (ioctl(chip, GPIO_GET_CHIPINFO_IOCTL, &answer) != 0) return -1;
    memcpy(info->name, answer.name, sizeof info->name);
    memcpy(info->label, answer.label, sizeof info->label);
    info->lines = answer.lines;
    return 0;
}

int clinux_gpio_line(int chip, uint32_t offset, struct clinux_gpio_line *info) {
    struct gpio_v2_line_info answer;
    memset(&answer, 0, sizeof answer);
    answer.offset = offset;
    if (ioctl(chip, GPIO_V2_GET_LINEINFO_IOCTL, &answer) != 0) return -1;
    memcpy(info->name, answer.name, sizeof info->name);
    memcpy(info->consumer, answer.consumer, sizeof info->consumer);
    info->flags = answer.flags;
    info->debounce_us = 0;
    for (uint32_t i = 0; i < answer.num_attrs && i < GPIO_V2_LINE_NUM_ATTRS_MAX; i++)
        if (answer.attrs[i].id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE) info->debounce_us = answer.attrs[i].debounce_period_us;
    return 0;
}

// The attribute that has this value already, or a new one; NULL where there is no more room.
static struct gpio_v2_line_config_attribute *attribute(struct gpio_v2_line_config *config, uint32_t id,
                                                       uint64_t value) {
    for (uint32_t i = 0; i < config->num_attrs; i++) {
        struct gpio_v2_line_attribute *known = &config->attrs[i].attr;
        if (known->id != id) continue;
        if (id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES) return &config->attrs[i];
        if (id == GPIO_V2_LINE_ATTR_ID_FLAGS ? known->flags == value : known->debounce_period_us == value)
            return &config->attrs[i];
    }
    if (config->num_attrs == GPIO_V2_LINE_NUM_ATTRS_MAX) return NULL;
    struct gpio_v2_line_config_attribute *new = &config->attrs[config->num_attrs++];
    new->attr.id = id;
    if (id == GPIO_V2_LINE_ATTR_ID_FLAGS) new->attr.flags = value;
    if (id == GPIO_V2_LINE_ATTR_ID_DEBOUNCE) new->attr.debounce_period_us = (uint32_t)value;
    return new;
}

static int add_line(struct gpio_v2_line_config *config, const struct clinux_gpio_wanted *line, uint64_t bit) {
    struct gpio_v2_line_config_attribute *place;
    if (line->flags != config->flags) {
        if (!(place = attribute(config, GPIO_V2_LINE_ATTR_ID_FLAGS, line->flags))) return -1;
        place->mask |= bit;
    }
    if (line->debounce_us) {
        if (!(place = attribute(config, GPIO_V2_LINE_ATTR_ID_DEBOUNCE, line->debounce_us))) return -1;
        place->mask |= bit;
    }
    if (line->flags & GPIO_V2_LINE_FLAG_OUTPUT) {
        if (!(place = attribute(config, GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES, 0))) return -1;
        place->mask |= bit;
        if (line->is_active) place->attr.values |= bit;
    }
    return 0;
}

int clinux_gpio_request(int chip, const char *consumer, const struct clinux_gpio_wanted *lines, int count,
                        uint32_t event_buffer) {
    struct gpio_v2_line_request request;
    memset(&request, 0, sizeof request);
    if (count < 1 || count > GPIO_V2_LINES_MAX) {
        errno = E2BIG;
        return -1;
    }
    strncpy(request.consumer, consumer, sizeof request.consumer - 1);
    request.num_lines = (uint32_t)count;
    request.event_buffer_size = event_buffer;
    request.config.flags = lines[0].flags;
    for (int i = 0; i < count; i++) {
        request.offsets[i] = lines[i].offset;
        if (add_line(&request.config, &lines[i], 1ULL << i) == 0) continue;
        errno = E2BIG;
        return -1;
    }
    if (ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) != 0) return -1;
    int flags = fcntl(request.fd, F_GETFL);
    if (flags >= 0 && fcntl(request.fd, F_SETFL, flags | O_NONBLOCK) == 0) return request.fd;
    int saved = errno;
    close(request.fd);
    errno = saved;
    return -1;
}

int clinux_gpio_get(int lines, uint64_t mask, uint64_t *bits) {
    struct gpio_v2_line_values values = {.mask = mask};
    if (ioctl(lines, GPIO_V2_LINE_GET_VALUES_IOCTL, &values) != 0) return -1;
    *bits = values.bits;
    return 0;
}

int clinux_gpio_set(int lines, uint64_t mask, uint64_t bits) {
    struct gpio_v2_line_values values = {.mask = mask, .bits = bits};
    return ioctl(lines, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
}

int clinux_gpio_read(int lines, struct clinux_gpio_event *events, int count) {
    struct gpio_v2_line_event raw[64];
    if (count > 64) count = 64;
    ssize_t size = read(lines, raw, (size_t)count * sizeof raw[0]);
    if (size < 0) return -1;
    int got = (int)((size_t)size / sizeof raw[0]);
    for (int i = 0; i < got; i++)
        events[i] = (struct clinux_gpio_event){.nanoseconds = raw[i].timestamp_ns,
                                               .offset = raw[i].offset,
                                               .number = raw[i].seqno,
                                               .line_number = raw[i].line_seqno,
                                               .is_rising = raw[i].id == GPIO_V2_LINE_EVENT_RISING_EDGE};
    return got;
}
