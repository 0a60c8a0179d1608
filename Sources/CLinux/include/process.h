// Calls that glibc declares only for GNU sources.
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/// Eight random bytes of the kernel's; 0 on success.
int clinux_random(uint64_t *value);

void clinux_name_thread(pthread_t thread, const char *name);

/// Raises the calling thread's niceness.
void clinux_nice_thread(int niceness);

/// The sentence for an errno, at most `size` bytes with its end.
void clinux_error_text(int code, char *text, size_t size);

/// Allows as many open descriptors as the hard limit does.
void clinux_raise_descriptor_limit(void);

/// Has the kernel make its table of descriptors large enough for `count`, or for as many as the limit allows.
void clinux_make_room_for_descriptors(unsigned count);

/// Takes the pages of all loaded files that can't be written out of the process; they come back as they are used.
void clinux_let_go_of_file_pages(void);

/// Bytes of the heap in use, with the allocator's own share.
size_t clinux_heap_in_use(void);

/// Opens a path without doing anything to what it leads to; -1 with errno.
int clinux_open_path(const char *path);

#endif
