/*
 * Loaded into `tandem serve` before the C library, so that a test can make its disk slow or failing and its clock
 * wrong, without a hook in the product.
 *
 * What is to happen stands in a file of four 64-bit numbers that both processes map; the file's name is in CHAOS_SHIM.
 * Only the clock of the day is changed: the monotonic one, by which timers run, goes on as it does on a real machine
 * whose clock is set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    volatile int64_t ahead_ns;      /* how far the clock is ahead; negative: behind */
    volatile int64_t frozen_ns;     /* where it stands still; 0: it runs */
    volatile int64_t sync_delay_us; /* how long a sync takes longer */
    volatile int64_t sync_error;    /* with which errno a sync fails; 0: it does not */
};

static struct control nothing;
static struct control *control = &nothing;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void) {
    real_clock_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("CHAOS_SHIM");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) control = mapped;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    int result = real_clock_gettime ? real_clock_gettime(id, now) : (int)syscall(SYS_clock_gettime, id, now);
    if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t frozen = control->frozen_ns, ahead = control->ahead_ns;
        if (frozen || ahead) {
            int64_t ns = frozen ? frozen : (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + ahead;
            now->tv_sec = ns / 1000000000;
            now->tv_nsec = ns % 1000000000;
        }
    }
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    int result = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return result;
}

time_t time(time_t *to) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise)) return -1;
    if (to) *to = precise.tv_sec;
    return precise.tv_sec;
}

static int sync_by(long call, int file) {
    int64_t delay = control->sync_delay_us;
    if (delay > 0) usleep((useconds_t)delay);
    if (control->sync_error) {
        errno = (int)control->sync_error;
        return -1;
    }
    return (int)syscall(call, file);
}

int fsync(int file) { return sync_by(SYS_fsync, file); }
int fdatasync(int file) { return sync_by(SYS_fdatasync, file); }
