// libyaml, narrowed to what Documents asks: one event after the other, as plain values.
#ifndef CYAML_SHIM_H
#define CYAML_SHIM_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

typedef struct {
    yaml_parser_t parser;
    yaml_event_t event;
    int has_event;
} cyaml_reader;

/// A reader over bytes that must outlive it; NULL without memory.
static inline cyaml_reader *cyaml_open(const unsigned char *bytes, size_t count) {
    cyaml_reader *reader = (cyaml_reader *)calloc(1, sizeof *reader);
    if (!reader) return NULL;
    if (!yaml_parser_initialize(&reader->parser)) {
        free(reader);
        return NULL;
    }
    yaml_parser_set_input_string(&reader->parser, bytes, count);
    return reader;
}

static inline void cyaml_close(cyaml_reader *reader) {
    if (reader->has_event) yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
    free(reader);
}

/// The next event's type (YAML_*_EVENT), -1 for an error.
static inline int cyaml_next(cyaml_reader *reader) {
    if (reader->has_event) yaml_event_delete(&reader->event);
    reader->has_event = 0;
    if (!yaml_parser_parse(&reader->parser, &reader->event)) return -1;
    reader->has_event = 1;
    return (int)reader->event.type;
}

/// Zero-based, as libyaml counts.
static inline size_t cyaml_line(const cyaml_reader *reader) { return reader->event.start_mark.line; }
static inline size_t cyaml_column(const cyaml_reader *reader) { return reader->event.start_mark.column; }

static inline const unsigned char *cyaml_scalar(const cyaml_reader *reader) {
    return reader->event.data.scalar.value;
}
static inline size_t cyaml_scalar_length(const cyaml_reader *reader) { return reader->event.data.scalar.length; }
static inline int cyaml_scalar_is_plain(const cyaml_reader *reader) {
    return reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/// The tag or anchor of the event, or NULL.
static inline const char *cyaml_tag(const cyaml_reader *reader) {
    switch (reader->event.type) {
    case YAML_SCALAR_EVENT: return (const char *)reader->event.data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT: return (const char *)reader->event.data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT: return (const char *)reader->event.data.mapping_start.tag;
    default: return NULL;
    }
}
static inline const char *cyaml_anchor(const cyaml_reader *reader) {
    switch (reader->event.type) {
    case YAML_SCALAR_EVENT: return (const char *)reader->event.data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT: return (const char *)reader->event.data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT: return (const char *)reader->event.data.mapping_start.anchor;
    case YAML_ALIAS_EVENT: return (const char *)reader->event.data.alias.anchor;
    default: return NULL;
    }
}

/// What went wrong, and where.
static inline const char *cyaml_problem(const cyaml_reader *reader) {
    return reader->parser.problem ? reader->parser.problem : "unreadable";
}
static inline const char *cyaml_context(const cyaml_reader *reader) {
    return reader->parser.context ? reader->parser.context : "";
}
static inline size_t cyaml_problem_line(const cyaml_reader *reader) { return reader->parser.problem_mark.line; }
static inline size_t cyaml_problem_column(const cyaml_reader *reader) { return reader->parser.problem_mark.column; }
static inline size_t cyaml_context_line(const cyaml_reader *reader) { return reader->parser.context_mark.line; }
static inline size_t cyaml_context_column(const cyaml_reader *reader) { return reader->parser.context_mark.column; }

#endif
