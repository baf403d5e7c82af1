/* Put in front of the C library: the wall clock is moved by the seconds in the file WRONG_CLOCK,
 * which is read anew each time. By those in TIME_PASSED the clock that counts since the machine was
 * started goes with it: as if that time had passed. Other clocks, by which programs sleep, stay.
 * (libfaketime cannot be had together with jemalloc.) */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long seconds_in(const char* variable) {
  char text[32] = {0};
  const char* const name = getenv(variable);
  const int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return 0;
  const ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  return size > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec* t) {
  const int r = (int)syscall(SYS_clock_gettime, clock, t);
  const int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (r != 0 || (!is_wall && clock != CLOCK_BOOTTIME)) return r;
  t->tv_sec += seconds_in("TIME_PASSED");
  if (is_wall) t->tv_sec += seconds_in("WRONG_CLOCK");
  return r;
}

time_t time(time_t* out) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  if (out) *out = t.tv_sec;
  return t.tv_sec;
}

int gettimeofday(struct timeval* v, void* zone) {
  struct timespec t;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &t);
  v->tv_sec = t.tv_sec;
  v->tv_usec = t.tv_nsec / 1000;
  return 0;
}
