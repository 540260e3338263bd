/* relay: process 1 of a container. It is init (../native/init.c) with a second thread, which does inside the container
 * what the supervisor does for a sandbox on its own host: it makes the pipes of a program, carries what goes through
 * them, and reads the files that are left.
 *
 * The frames of init.c come in on descriptor 0 and leave on descriptor 1, both of which the Engine carries to the
 * supervisor; the program holds neither. These kinds, in small letters, are between the supervisor and the relay:
 *   in   x  argv and environment           as X, but without input and with both outputs as one (o)
 *        k  argv and environment           as X, for a kernel: its descriptor 3 is a socket, the channel
 *        i  bytes                          for the program's input, at most CHUNK, the next only after the answer i
 *        z                                 the end of its input
 *        a  u32                            that many bytes of output were taken: WINDOW of them may be under way
 *        m  bytes                          for the channel, at most CHUNK, the next only after the answer s
 *        t  u32                            that many bytes of the channel were taken: WINDOW of them, too
 *        r                                 rest: everything that runs is stopped
 *        w                                 wake: it goes on
 *        l  u8 dir, u8 depth, path NUL     list what lies below; dir: 'w'ork or 'b'uild
 *        f  u8 dir, u64 most, path NUL     read a regular file; in the build dir also where a link points
 *   out  o, e  bytes                       the program's output and its errors
 *        i                                 the input was taken
 *        m  bytes                          from the channel, after all output that was written before
 *        s                                 what was for the channel was taken
 *        u  u64 CPU ns, u64 peak memory, u64 out-of-memory kills
 *                                          the container's use so far; before every I, R, E and m
 *        l  entries                        u8 kind ('f'ile, 'd'irectory, 'l'ink, 'o'ther), u8 executable, u64 size, path NUL
 *                                          each; a frame without entries ends the list
 *        f  i32 errno, u64 size            then c frames with the content, the last of them empty
 * An X, H or k comes without descriptors; the relay makes the pipes. All that a program wrote goes out before its E.
 */
#define WITHIN_RELAY
#define main init
#include "../native/init.c"
#undef main

#include <pthread.h>

#define CHUNK 65536
#define WINDOW (4u * CHUNK)
#define MOST_LISTED 10000
#define OOM_INTERVAL_MS 50
#define UNKNOWN UINT64_MAX

/* Descriptors above those that init closes when it starts. */
#define OWN_DESCRIPTORS 32

enum { INPUT, OUTPUT, ERRORS };
static int from_supervisor, to_supervisor, to_init, from_init;
/* A program's ends of its pipes, for the order to start it that init reads next: both threads have the same ones. */
static int handed_over[MAX_DESCRIPTORS];
static int pipes[3] = {-1, -1, -1}; /* our ends */
static char input[CHUNK];
static size_t input_size, input_sent;
static int input_ended, running, resting, kill_ordered;
static size_t under_way; /* bytes of output that nobody has said to have taken */
static int channel = -1; /* our end of a kernel's */
static char message[CHUNK];
static size_t message_size, message_sent, messages_under_way;
static int cpu_file, memory_file, oom_file; /* -1 where the container has none */
static const char *cpu_key, *oom_key;
static uint64_t oom_kills_before;

/* --- frames --- */

static void must_read(int fd, void *buffer, size_t size) {
    for (char *p = buffer; size;) {
        ssize_t n = read(fd, p, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) quit();
        p += n;
        size -= (size_t)n;
    }
}

static void must_write(int fd, const void *data, size_t size) {
    if (write_all(fd, data, size)) quit();
}

/* One frame to the supervisor, from two parts. */
static void out(char kind, const void *head, size_t head_size, const void *body, size_t body_size) {
    static char frame[5 + 2 * CHUNK];
    uint32_t size = (uint32_t)(head_size + body_size);
    memcpy(frame, &size, 4);
    frame[4] = kind;
    if (head_size) memcpy(frame + 5, head, head_size);
    if (body_size) memcpy(frame + 5 + head_size, body, body_size);
    must_write(to_supervisor, frame, 5 + size);
}

/* --- init's side: two pipes, because a socket would be seen in the container's /proc/net --- */

static void send_frame(char kind, const void *payload, uint32_t size, int fd) {
    char frame[64];
    (void)fd;
    memcpy(frame, &size, 4);
    frame[4] = kind;
    memcpy(frame + 5, payload, size);
    must_write(to_relay, frame, 5 + size);
}

static uint32_t read_header(char *kind, int fds[MAX_DESCRIPTORS]) {
    char header[5];
    uint32_t size;
    read_exactly(header, sizeof header);
    memcpy(&size, header, 4);
    *kind = header[4];
    for (int i = 0; i < MAX_DESCRIPTORS; i++) fds[i] = *kind == 'X' || *kind == 'H' ? handed_over[i] : -1;
    return size;
}

/* --- what the container uses --- */

static int open_first(const char *const *paths) {
    for (; *paths; paths++) {
        int fd = open(*paths, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) return fcntl(fd, F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    }
    return -1;
}

static void open_usage(void) {
    int second = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    cpu_key = second ? "usage_usec " : "";
    oom_key = "oom_kill ";
    cpu_file = open_first((const char *[]){
        second ? "/sys/fs/cgroup/cpu.stat" : "/sys/fs/cgroup/cpuacct/cpuacct.usage",
        "/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", NULL});
    memory_file = open_first((const char *[]){
        second ? "/sys/fs/cgroup/memory.peak" : "/sys/fs/cgroup/memory/memory.max_usage_in_bytes", NULL});
    oom_file = open_first((const char *[]){
        second ? "/sys/fs/cgroup/memory.events" : "/sys/fs/cgroup/memory/memory.oom_control", NULL});
}

/* The number after `key` at the start of a line; UNKNOWN where there is none. */
static uint64_t value(int fd, const char *key) {
    char text[4096];
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
    if (n <= 0) return UNKNOWN;
    text[n] = 0;
    for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, strlen(key)) == 0) return strtoull(line + strlen(key), NULL, 10);
    return UNKNOWN;
}

/* Where there are no control groups inside (some runtimes), what the kernel tells of ended processes has to do. */
static void send_usage(void) {
    struct rusage ended_ones;
    getrusage(RUSAGE_CHILDREN, &ended_ones);
    uint64_t use[3] = {value(cpu_file, cpu_key), value(memory_file, ""), value(oom_file, oom_key)};
    if (use[0] == UNKNOWN)
        use[0] = ((uint64_t)ended_ones.ru_utime.tv_sec + (uint64_t)ended_ones.ru_stime.tv_sec) * 1000000000u
                 + ((uint64_t)ended_ones.ru_utime.tv_usec + (uint64_t)ended_ones.ru_stime.tv_usec) * 1000u;
    else if (*cpu_key)
        use[0] *= 1000;
    if (use[1] == UNKNOWN) use[1] = (uint64_t)ended_ones.ru_maxrss * 1024;
    if (use[2] == UNKNOWN) use[2] = 0;
    out('u', use, sizeof use, NULL, 0);
}

/* The kernel kills one process when the container's memory is full; the group is what was limited, so all go. */
static void look_for_oom(void) {
    uint64_t kills = value(oom_file, oom_key);
    if (kills == UNKNOWN || kills <= oom_kills_before || kill_ordered) return;
    kill_ordered = 1;
    must_write(to_init, "\0\0\0\0K", 5);
}

/* --- a program's pipes, and a kernel's channel --- */

static void close_pipe(int which) {
    if (pipes[which] >= 0) close(pipes[which]);
    pipes[which] = -1;
}

static void make_pipe(int which, int *theirs) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) quit();
    int ours = which == INPUT;
    /* Programs open /dev/stdin and the like by name too, which asks for the pipe's own permissions. */
    fchmod(ends[!ours], which == INPUT ? 0444 : 0222);
    fcntl(ends[ours], F_SETFL, O_NONBLOCK);
    pipes[which] = fcntl(ends[ours], F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    close(ends[ours]);
    *theirs = ends[!ours];
}

static void close_channel(void) {
    if (channel >= 0) close(channel);
    channel = -1;
}

static int make_channel(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) quit();
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    channel = fcntl(ends[0], F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    close(ends[0]);
    return ends[1];
}

/* Forwards an order to start a program, with its ends of fresh pipes. */
static void start_program(char kind, const char *payload, uint32_t size) {
    int theirs[MAX_DESCRIPTORS] = {-1, -1, -1, -1};
    for (int i = 0; i < 3; i++) close_pipe(i);
    close_channel();
    make_pipe(OUTPUT, &theirs[1]);
    if (kind == 'x') {
        theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        theirs[2] = fcntl(theirs[1], F_DUPFD_CLOEXEC, 0);
        kind = 'X';
    } else {
        make_pipe(INPUT, &theirs[0]);
        make_pipe(ERRORS, &theirs[2]);
    }
    if (kind == 'k') {
        theirs[CONTROL] = make_channel();
        kind = 'X';
    }
    input_size = input_sent = message_size = message_sent = 0;
    input_ended = kill_ordered = resting = 0;
    under_way = messages_under_way = 0;
    uint64_t kills = value(oom_file, oom_key);
    oom_kills_before = kills == UNKNOWN ? 0 : kills;
    running = 1;

    memcpy(handed_over, theirs, sizeof handed_over);
    char header[5];
    memcpy(header, &size, 4);
    header[4] = kind;
    must_write(to_init, header, sizeof header);
    must_write(to_init, payload, size);
}

/* Passes on what can be read now; 0 when nothing (more) can. */
static int pump(int which) {
    static char buffer[CHUNK];
    if (pipes[which] < 0) return 0;
    ssize_t n = read(pipes[which], buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return errno == EINTR;
    if (n <= 0) {
        close_pipe(which);
        return 0;
    }
    under_way += (size_t)n;
    out(which == OUTPUT ? 'o' : 'e', buffer, (size_t)n, NULL, 0);
    return 1;
}

static void taken(size_t *of, const char *payload, uint32_t size) {
    uint32_t bytes;
    if (size != sizeof bytes) quit();
    memcpy(&bytes, payload, sizeof bytes);
    *of = bytes < *of ? *of - bytes : 0;
}

/* Writes what the program takes of its input. One that closed its end is given the rest in vain, as by a shell. */
static void feed(void) {
    while (pipes[INPUT] >= 0 && input_sent < input_size) {
        ssize_t n = write(pipes[INPUT], input + input_sent, input_size - input_sent);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) close_pipe(INPUT);
        else input_sent += (size_t)n;
    }
    if (input_size) {
        input_size = input_sent = 0;
        out('i', NULL, 0, NULL, 0);
    }
    if (input_ended) close_pipe(INPUT);
}

/* Writes what the kernel takes of a message, as `feed` does. */
static void tell(void) {
    while (channel >= 0 && message_sent < message_size) {
        ssize_t n = send(channel, message + message_sent, message_size - message_sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) close_channel();
        else message_sent += (size_t)n;
    }
    message_size = message_sent = 0;
    out('s', NULL, 0, NULL, 0);
}

/* Passes on what the kernel has told; 0 when nothing (more) can be read. What was printed before it was told is in the
 * pipes by now and goes first, also where output is held back, or a cell's output would come with the next cell's. */
static int hear(void) {
    static char buffer[CHUNK];
    if (channel < 0) return 0;
    ssize_t n = read(channel, buffer, sizeof buffer);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return errno == EINTR;
    if (n > 0) {
        /* One read empties a pipe, of the size that it has; whoever goes on writing does not hold this up. */
        for (int which = OUTPUT; which <= ERRORS; which++)
            if (pump(which)) pump(which);
        messages_under_way += (size_t)n;
        send_usage();
        out('m', buffer, (size_t)n, NULL, 0);
        return 1;
    }
    close_channel();
    return 0;
}

/* All but process 1 itself. What is stopped cannot start or continue anything; a fork with a signal pending fails. */
static void signal_all(int number) {
    resting = number == SIGSTOP;
    kill(-1, number);
}

/* --- files that were left --- */

static char listing[CHUNK];
static size_t listing_size;
static int listed;

static void list_entry(const char *path, const struct stat *s) {
    struct __attribute__((packed)) { char kind, executable; uint64_t size; } head = {
        S_ISREG(s->st_mode) ? 'f' : S_ISDIR(s->st_mode) ? 'd' : S_ISLNK(s->st_mode) ? 'l' : 'o', (s->st_mode & 0100) != 0, (uint64_t)s->st_size};
    size_t path_size = strlen(path) + 1;
    if (listing_size + sizeof head + path_size > sizeof listing) {
        out('l', listing, listing_size, NULL, 0);
        listing_size = 0;
    }
    memcpy(listing + listing_size, &head, sizeof head);
    memcpy(listing + listing_size + sizeof head, path, path_size);
    listing_size += sizeof head + path_size;
}

/* Takes `folder` over. */
static void list_folder(int folder, const char *prefix, int depth) {
    DIR *entries = fdopendir(folder);
    if (!entries) {
        close(folder);
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[8192];
        struct stat s;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (++listed > MOST_LISTED) break;
        if (fstatat(folder, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) < 0) continue;
        if (snprintf(path, sizeof path, "%s%s", prefix, entry->d_name) >= (int)sizeof path - 1) continue;
        list_entry(path, &s);
        if (!S_ISDIR(s.st_mode) || depth <= 0) continue;
        int child = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0) continue;
        strcat(path, "/");
        list_folder(child, path, depth - 1);
    }
    closedir(entries);
}

static int top(char name) { return open(name == 'b' ? BUILD : WORK, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

static void list(char *payload, uint32_t size) {
    if (size < 3) quit();
    int dir = top(payload[0]), depth = (unsigned char)payload[1];
    char prefix[8192] = "", *path = payload + 2;
    if (*path) snprintf(prefix, sizeof prefix, "%s/", path);
    int folder = open_folder(dir, path, 0);
    close(dir);
    listed = 0;
    listing_size = 0;
    if (folder >= 0) list_folder(folder, prefix, depth);
    if (listing_size) out('l', listing, listing_size, NULL, 0);
    out('l', NULL, 0, NULL, 0);
}

static void send_file(char *payload, uint32_t size) {
    static char buffer[CHUNK];
    struct __attribute__((packed)) { int32_t error; uint64_t size; } head = {0, 0};
    uint64_t most;
    char *name;
    struct stat s;
    ssize_t target = -1;
    if (size < 10) quit();
    memcpy(&most, payload + 1, sizeof most);
    int dir = top(payload[0]), folder = open_holder(dir, payload + 9, &name, 0);
    /* O_NONBLOCK: a FIFO or device that took the file's place must not block us. */
    int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        head.error = errno;
        if (errno == ELOOP && payload[0] == 'b' && (target = readlinkat(folder, name, buffer, sizeof buffer)) >= 0) {
            head.error = 0;
            head.size = (uint64_t)target;
        }
    } else if (fstat(file, &s) < 0 || !S_ISREG(s.st_mode)) {
        head.error = EINVAL;
    } else {
        head.size = (uint64_t)s.st_size;
    }
    out('f', &head, sizeof head, NULL, 0);
    if (target > 0) out('c', buffer, (size_t)target, NULL, 0);
    while (file >= 0 && !head.error && most) {
        ssize_t n = read(file, buffer, most < sizeof buffer ? (size_t)most : sizeof buffer);
        if (n <= 0) break;
        out('c', buffer, (size_t)n, NULL, 0);
        most -= (uint64_t)n;
    }
    out('c', NULL, 0, NULL, 0);
    if (file >= 0) close(file);
    if (folder >= 0) close(folder);
    close(dir);
}

/* --- the two directions --- */

/* A large frame is not held here as a whole: it would count as the program's memory twice. */
static void pass_on(const char *header, uint32_t size) {
    static char buffer[CHUNK];
    must_write(to_init, header, 5);
    while (size) {
        uint32_t part = size < sizeof buffer ? size : sizeof buffer;
        must_read(from_supervisor, buffer, part);
        must_write(to_init, buffer, part);
        size -= part;
    }
}

static void from_outside(void) {
    char header[5], kind;
    uint32_t size;
    must_read(from_supervisor, header, sizeof header);
    memcpy(&size, header, 4);
    kind = header[4];
    if (size > MAX_FRAME) quit();
    if (!strchr("xXHkizamtrwlf", kind)) {
        pass_on(header, size);
        return;
    }
    char *payload = malloc((size_t)size + 1);
    if (!payload) quit();
    must_read(from_supervisor, payload, size);
    payload[size] = 0;
    switch (kind) {
    case 'x':
    case 'X':
    case 'H':
    case 'k':
        start_program(kind, payload, size);
        break;
    case 'i':
        if (size > sizeof input || input_size) quit();
        memcpy(input, payload, size);
        input_size = size;
        feed();
        break;
    case 'z':
        input_ended = 1;
        if (!input_size) feed();
        break;
    case 'a':
        taken(&under_way, payload, size);
        break;
    case 'm':
        if (size > sizeof message || message_size) quit();
        memcpy(message, payload, size);
        message_size = size;
        tell();
        break;
    case 't':
        taken(&messages_under_way, payload, size);
        break;
    case 'r':
    case 'w':
        signal_all(kind == 'r' ? SIGSTOP : SIGCONT);
        break;
    case 'l':
        list(payload, size);
        break;
    case 'f':
        send_file(payload, size);
        break;
    }
    free(payload);
}

static void hear_init(void) {
    char header[5], payload[CHUNK];
    uint32_t size;
    must_read(from_init, header, sizeof header);
    memcpy(&size, header, 4);
    if (size > sizeof payload) quit();
    must_read(from_init, payload, size);
    if (header[4] == 'E') {
        /* Everything that could write has ended: what is in the pipes is all there will be. */
        running = 0;
        while (hear()) {}
        while (pump(OUTPUT)) {}
        while (pump(ERRORS)) {}
        for (int i = 0; i < 3; i++) close_pipe(i);
        close_channel();
    }
    if (strchr("IRE", header[4])) send_usage();
    out(header[4], payload, size, NULL, 0);
}

static void *relay(void *unused) {
    for (;;) {
        short told = (messages_under_way < WINDOW ? POLLIN : 0) | (message_size ? POLLOUT : 0);
        struct pollfd waits[6] = {
            {from_supervisor, POLLIN, 0},
            {from_init, POLLIN, 0},
            {under_way < WINDOW ? pipes[OUTPUT] : -1, POLLIN, 0},
            {under_way < WINDOW ? pipes[ERRORS] : -1, POLLIN, 0},
            {input_size ? pipes[INPUT] : -1, POLLOUT, 0},
            {told ? channel : -1, told, 0},
        };
        if (poll(waits, 6, running && !resting ? OOM_INTERVAL_MS : -1) < 0) continue;
        if (running) look_for_oom();
        if (waits[0].revents) from_outside();
        if (waits[2].revents) pump(OUTPUT);
        if (waits[3].revents) pump(ERRORS);
        if (waits[4].revents) feed();
        if (waits[5].revents & POLLOUT) tell();
        if (waits[5].revents & ~POLLOUT) hear();
        if (waits[1].revents) hear_init();
    }
    return unused;
}

int main(void) {
    int orders[2], reports[2];
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pipe2(orders, O_CLOEXEC) < 0 || pipe2(reports, O_CLOEXEC) < 0) return 1;
    from_supervisor = fcntl(0, F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    to_supervisor = fcntl(1, F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    to_init = fcntl(orders[1], F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    from_init = fcntl(reports[0], F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    to_relay = fcntl(reports[1], F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    int init_end = fcntl(orders[0], F_DUPFD_CLOEXEC, OWN_DESCRIPTORS);
    if (to_supervisor < 0 || to_relay < 0 || init_end < 0 || dup2(init_end, CONTROL) < 0) return 1;
    open_usage();
    /* Signals are init's. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 1 << 20);
    if (pthread_create(&thread, &attributes, relay, NULL)) return 1;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return init();
}
