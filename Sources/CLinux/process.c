#define _GNU_SOURCE
#include "include/process.h"
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

int clinux_random(uint64_t *value) { return getrandom(value, sizeof *value, 0) == sizeof *value ? 0 : -1; }

void clinux_name_thread(pthread_t thread, const char *name) {
    char shortened[16];
    snprintf(shortened, sizeof shortened, "%s", name);
    pthread_setname_np(thread, shortened);
}

void clinux_nice_thread(int niceness) {
    // On Linux a thread's id names the thread alone.
    setpriority(PRIO_PROCESS, (id_t)gettid(), niceness);
}

void clinux_error_text(int code, char *text, size_t size) {
    // The GNU form: it may return a text of its own instead of filling the buffer.
    char buffer[256];
    snprintf(text, size, "%s", strerror_r(code, buffer, sizeof buffer));
}

void clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

void clinux_make_room_for_descriptors(unsigned count) {
    struct rlimit limit;
    if (count == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    unsigned highest = limit.rlim_cur < count ? (unsigned)limit.rlim_cur - 1 : count - 1;
    int low = open("/", O_PATH | O_CLOEXEC);
    if (low < 0) return;
    int high = fcntl(low, F_DUPFD_CLOEXEC, (int)highest);
    if (high >= 0) close(high);
    close(low);
}

size_t clinux_heap_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static int let_go_of_object(struct dl_phdr_info *object, size_t size, void *page_size) {
    (void)size;
    uintptr_t page = *(const uintptr_t *)page_size;
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[index];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0) continue;
        // Never written, so nothing is lost: the kernel maps the same page of the file again.
        uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
        madvise((void *)start, object->dlpi_addr + part->p_vaddr + part->p_memsz - start, MADV_DONTNEED);
    }
    return 0;
}

void clinux_let_go_of_file_pages(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(let_go_of_object, &page);
}

int clinux_open_path(const char *path) {
    return open(path, O_PATH | O_CLOEXEC);
}
