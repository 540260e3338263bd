/* The files of the work dir while programs run: part of init, which is the only one inside that the supervisor trusts,
 * and has the program's own rights. So the kernel counts what is written here as the sandbox's, and nothing that a
 * program puts in the way leads anywhere but into its own sandbox.
 *
 * A path is walked name by name from the work dir, no link followed, so that a folder which a link takes the place of in
 * between is refused; what is opened is read only where it is a regular file, and O_NONBLOCK keeps a FIFO from holding
 * us up, and a lease (fcntl(2), F_SETLEASE).
 */
#include <dirent.h>
#include <stdio.h>

/* What the relay takes in one frame. */
#define PIECE 65536
#define MOST_ENTRIES 10000
/* Of a list, in bytes: names may be long, and the supervisor holds it as a whole. */
#define MOST_LISTED_BYTES (2u << 20)
#define MOST_DEPTH 16
/* Where a file is written before it takes its name, so that nobody sees half of it. */
#define UNFINISHED ".runcode-unfinished"

static char piece[PIECE];

static void send_piece(char kind, const void *payload, uint32_t size) {
    char header[5];
    memcpy(header, &size, 4);
    header[4] = kind;
    if (write_all(ANSWERS, header, sizeof header) || write_all(ANSWERS, payload, size)) quit();
}

static void answer(int error, uint64_t size) {
    struct __attribute__((packed)) { int32_t error; uint64_t size; } told = {error, size};
    send_piece('A', &told, sizeof told);
}

/* The directory at a path below `dir`, made where it is missing and `make` says so; -1 where there is none. */
static int open_folder(int dir, char *path, int make) {
    int folder = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (char *name = strtok(path, "/"); name && folder >= 0; name = strtok(NULL, "/")) {
        if (make) mkdirat(folder, name, 0755);
        int next = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error = errno;
        close(folder);
        folder = next;
        errno = error;
    }
    return folder;
}

/* The folder that holds the last name of a path, which is returned in `name`. */
static int open_holder(int dir, char *path, char **name, int make) {
    char *slash = strrchr(path, '/'), none[1] = "";
    *name = slash ? slash + 1 : path;
    if (slash) *slash = 0;
    return open_folder(dir, slash ? path : none, make);
}

/* --- list --- */

static struct {
    char path[(MOST_DEPTH + 1) * 256];
    size_t used; /* of `piece` */
    size_t listed; /* bytes */
    int seen, incomplete;
} walk;

static void list_file(const struct stat *s) {
    struct __attribute__((packed)) { uint64_t size; int64_t modified_ns; } head = {
        (uint64_t)s->st_size, (int64_t)s->st_mtim.tv_sec * 1000000000 + s->st_mtim.tv_nsec};
    size_t path_size = strlen(walk.path) + 1;
    walk.listed += sizeof head + path_size;
    if (walk.listed > MOST_LISTED_BYTES) {
        walk.seen = MOST_ENTRIES;
        walk.incomplete = 1;
        return;
    }
    if (walk.used + sizeof head + path_size > sizeof piece) {
        send_piece('L', piece, (uint32_t)walk.used);
        walk.used = 0;
    }
    memcpy(piece + walk.used, &head, sizeof head);
    memcpy(piece + walk.used + sizeof head, walk.path, path_size);
    walk.used += sizeof head + path_size;
}

/* Takes `folder` over, whose own path, with a slash behind it, is the first `length` bytes of the walk's. */
static void list_below(int folder, size_t length, int depth) {
    DIR *entries = fdopendir(folder);
    if (!entries) {
        close(folder);
        walk.incomplete = 1;
        return;
    }
    for (struct dirent *entry; (entry = readdir(entries));) {
        struct stat s;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (++walk.seen > MOST_ENTRIES) {
            walk.incomplete = 1;
            break;
        }
        if (fstatat(folder, entry->d_name, &s, AT_SYMLINK_NOFOLLOW) < 0) continue;
        size_t name_size = strlen(entry->d_name);
        memcpy(walk.path + length, entry->d_name, name_size + 1);
        if (S_ISREG(s.st_mode)) list_file(&s);
        if (!S_ISDIR(s.st_mode)) continue;
        int child = depth < MOST_DEPTH ? openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (child < 0) {
            walk.incomplete = 1;
            continue;
        }
        walk.path[length + name_size] = '/';
        list_below(child, length + name_size + 1, depth + 1);
    }
    closedir(entries);
}

static void list_work_dir(void) {
    walk.used = walk.listed = 0;
    walk.seen = walk.incomplete = 0;
    int folder = openat(work_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) list_below(folder, 0, 1);
    if (walk.used) send_piece('L', piece, (uint32_t)walk.used);
    answer(folder < 0 ? errno : walk.incomplete ? E2BIG : 0, 0);
}

/* --- read, write, remove --- */

static void read_work_file(char *path, uint64_t most) {
    char *name;
    struct stat s = {0};
    int error = 0, file = -1, folder = open_holder(work_dir, path, &name, 0);
    if (folder >= 0) file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, &s) < 0) error = errno;
    else if (!S_ISREG(s.st_mode)) error = EISDIR;
    else if ((uint64_t)s.st_size > most) error = EFBIG;
    answer(error, (uint64_t)s.st_size);
    /* What it has grown by since is not read: it may grow for ever. */
    for (uint64_t left = (uint64_t)s.st_size; !error && left;) {
        ssize_t n = read(file, piece, left < sizeof piece ? (size_t)left : sizeof piece);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        send_piece('C', piece, (uint32_t)n);
        left -= (uint64_t)n;
    }
    if (!error) send_piece('C', NULL, 0);
    if (file >= 0) close(file);
    if (folder >= 0) close(folder);
}

static int make_unfinished(int folder) {
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file = openat(folder, UNFINISHED, flags, 0644);
    if (file >= 0 || errno != EEXIST) return file;
    unlinkat(folder, UNFINISHED, 0);
    return openat(folder, UNFINISHED, flags, 0644);
}

/* Writes the file while its content comes: held here it would count as the program's memory twice. All of the frame is
 * read, whatever happens. */
static void write_work_file(uint32_t size) {
    static char path[PATH_MAX];
    uint32_t path_size;
    char *name;
    if (size < sizeof path_size) quit();
    read_exactly(&path_size, sizeof path_size);
    if (!path_size || path_size > sizeof path || path_size > size - sizeof path_size) quit();
    read_exactly(path, path_size);
    path[path_size - 1] = 0;
    uint32_t left = size - (uint32_t)sizeof path_size - path_size;
    uint64_t written = left;
    int error = 0, file = -1, folder = open_holder(work_dir, path, &name, 1);
    if (folder >= 0) file = make_unfinished(folder);
    if (file < 0) error = errno;
    while (left) {
        uint32_t part = left < sizeof piece ? left : (uint32_t)sizeof piece;
        read_exactly(piece, part);
        if (!error) error = write_all(file, piece, part);
        left -= part;
    }
    if (file >= 0) {
        close(file);
        if (!error && renameat(folder, UNFINISHED, folder, name) < 0) error = errno;
        if (error) unlinkat(folder, UNFINISHED, 0);
    }
    if (folder >= 0) close(folder);
    answer(error, error ? 0 : written);
}

static void remove_work_file(char *path) {
    char *name;
    int folder = open_holder(work_dir, path, &name, 0);
    int error = folder < 0 || unlinkat(folder, name, 0) < 0 ? errno : 0;
    if (folder >= 0) close(folder);
    answer(error, 0);
}
