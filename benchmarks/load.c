/* The benchmarks' client. It does as little work per byte as it can, so that the server is measured.
 *
 *   load send PORT PLAN DATA CONNECTIONS                 send the bodies of PLAN from the file DATA, held in memory
 *   load fetch PORT PATH CONNECTIONS [HEADER]            GET all of PATH, once on each connection
 *   load ranges PORT PATH SIZE CONNECTIONS SECONDS [HEADER]   GET random aligned ranges of 64 KiB
 *   load requests PORT PATH CONNECTIONS SECONDS STATUS [HEADER] GET PATH repeatedly
 *
 * PLAN has one line per request: LANE METHOD PATH OFFSET LENGTH [HEADERS], separated by tabs. LANE is the connection
 * that sends the request, in order, or - for any free connection. HEADERS have | in place of each line end. DATA
 * repeats: the byte at offset n is that at n modulo its length. send prints a line "INDEX<tab>ETAG" for each request.
 *
 * On a virtual machine, memory that was idle for seconds may have been returned to the host, and its next use waits for
 * the host. send therefore holds as much memory as it will send, and frees it bit by bit just before each request, so
 * that the server's page cache grows into memory that is present.
 *
 * The first line of output is JSON. Response bodies are received into a buffer, as in any client, and discarded.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HUGE = 1 << 21 };
enum { HEAD = 16384, BUFFER = 1 << 18, RANGE = 65536, MAX_CONNECTIONS = 256 };

struct request {
    int lane;
    char *method, *path, *headers, *etag;
    long offset, length;
};

struct response {
    int status;
    long body;      /* total bytes of the body, or -1 when it is chunked */
    long with_head; /* bytes of the body received with the head */
    char etag[256];
};

static int port;
static const char *path, *extra = "";
static struct request *plan;
static int planned;
static char *data;
static long data_size;
static atomic_int next_request, errors;
static atomic_long received;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static int open_connection(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(s, (void *)&to, sizeof to)) fail("connect: %s", strerror(errno));
    return s;
}

static void send_all(int s, const char *bytes, long count, int flags) {
    while (count > 0) {
        ssize_t n = send(s, bytes, count, flags | MSG_NOSIGNAL);
        if (n <= 0) fail("send: %s", strerror(errno));
        bytes += n;
        count -= n;
    }
}

/* Parse a response's head if the `count` bytes received so far contain all of it, and return whether it has. */
static int parse_head(const char *bytes, long count, struct response *response) {
    const char *end = memmem(bytes, count, "\r\n\r\n", 4), *line, *next;
    if (!end) return 0;
    response->status = atoi(bytes + 9);
    response->body = response->status == 204 || response->status == 304 ? 0 : -2;
    response->etag[0] = 0;
    for (line = bytes; line < end; line = next + 2) {
        next = memmem(line, end + 2 - line, "\r\n", 2);
        if (!strncasecmp(line, "content-length:", 15)) response->body = atol(line + 15);
        if (!strncasecmp(line, "transfer-encoding:", 18)) response->body = -1;
        if (!strncasecmp(line, "etag:", 5)) {
            const char *value = line + 5 + strspn(line + 5, " ");
            snprintf(response->etag, sizeof response->etag, "%.*s", (int)(next - value), value);
        }
    }
    if (response->body == -2) fail("a response without length: %.*s", (int)count, bytes);
    response->with_head = count - (end + 4 - bytes);
    return 1;
}

/* Receive one whole response, discarding its body. */
static struct response receive(int s, char *buffer) {
    struct response response;
    long count = 0;
    do {
        ssize_t n = recv(s, buffer + count, HEAD - count, 0);
        if (n <= 0) fail("recv: %s", n ? strerror(errno) : "connection closed");
        count += n;
    } while (!parse_head(buffer, count, &response));
    if (response.status >= 300) {
        fprintf(stderr, "%.*s\n", (int)count, buffer);
        errors++;
    }
    if (response.body == -1) {
        while (count < 5 || memcmp(buffer + count - 5, "0\r\n\r\n", 5)) {
            long kept = count < 5 ? count : 5;
            memmove(buffer, buffer + count - kept, kept);
            ssize_t n = recv(s, buffer + kept, BUFFER - kept, 0);
            if (n <= 0) fail("recv: %s", n ? strerror(errno) : "connection closed");
            count = kept + n;
            received += n;
        }
        return response;
    }
    received += response.with_head;
    for (long left = response.body - response.with_head; left > 0;) {
        ssize_t n = recv(s, buffer, left < BUFFER ? left : BUFFER, 0);
        if (n <= 0) fail("recv: %s", n ? strerror(errno) : "connection closed");
        left -= n;
        received += n;
    }
    return response;
}

static char *held_memory;
static atomic_long freed;

static long pages_for(long length) {
    if (length < HUGE) return 0;
    return (length / HUGE + 1) * HUGE;
}

static void hold_memory(void) {
    long size = HUGE;
    for (int i = 0; i < planned; i++) size += pages_for(plan[i].length);
    held_memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (held_memory == MAP_FAILED) fail("mmap: %s", strerror(errno));
    held_memory += HUGE - (long)held_memory % HUGE;
}

static void send_one(int s, char *buffer, struct request *r) {
    int n = snprintf(buffer, BUFFER, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %ld\r\n%s\r\n", r->method,
                     r->path, port, r->length, r->headers);
    long count = pages_for(r->length);
    if (count) munmap(held_memory + atomic_fetch_add(&freed, count), count);
    send_all(s, buffer, n, MSG_MORE);
    send_all(s, data + r->offset % data_size, r->length, 0);
    r->etag = strdup(receive(s, buffer).etag);
}

static void *sender(void *lane) {
    int s = open_connection(), shared = 1;
    char *buffer = malloc(BUFFER);
    for (int i = 0; i < planned; i++) {
        if (plan[i].lane < 0) continue;
        shared = 0;
        if (plan[i].lane == (long)lane) send_one(s, buffer, plan + i);
    }
    for (int i; shared && (i = next_request++) < planned;) send_one(s, buffer, plan + i);
    close(s);
    return 0;
}

static void *fetcher(void *unused) {
    (void)unused;
    int s = open_connection();
    char *buffer = malloc(BUFFER);
    int n = snprintf(buffer, BUFFER, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", path, port, extra);
    send_all(s, buffer, n, 0);
    receive(s, buffer);
    close(s);
    return 0;
}

static double in_threads(void *(*work)(void *), long count) {
    pthread_t threads[MAX_CONNECTIONS];
    double start = now();
    for (long i = 0; i < count; i++) pthread_create(threads + i, 0, work, (void *)i);
    for (long i = 0; i < count; i++) pthread_join(threads[i], 0);
    return now() - start;
}

static void read_plan(const char *plan_path) {
    FILE *file = fopen(plan_path, "r");
    if (!file) fail("%s: %s", plan_path, strerror(errno));
    char *line = 0;
    size_t room = 0;
    plan = calloc(100000, sizeof *plan);
    while (getline(&line, &room, file) > 0) {
        struct request *r = plan + planned++;
        char *rest = strdup(line), *field;
        rest[strcspn(rest, "\n")] = 0;
        field = strsep(&rest, "\t");
        r->lane = *field == '-' ? -1 : atoi(field);
        r->method = strsep(&rest, "\t");
        r->path = strsep(&rest, "\t");
        r->offset = atol(strsep(&rest, "\t"));
        r->length = atol(strsep(&rest, "\t"));
        char *headers = rest ? rest : "", *to = r->headers = malloc(2 * strlen(headers) + 1);
        for (; *headers; headers++) {
            if (*headers == '|') *to++ = '\r';
            *to++ = *headers == '|' ? '\n' : *headers;
        }
        *to = 0;
    }
    fclose(file);
}

static void read_data(const char *data_path) {
    long longest = 0;
    int file = open(data_path, O_RDONLY);
    struct stat found;
    if (file < 0 || fstat(file, &found)) fail("%s: %s", data_path, strerror(errno));
    data_size = found.st_size;
    for (int i = 0; i < planned; i++)
        if (plan[i].length > longest) longest = plan[i].length;
    data = malloc(data_size + longest);
    if (read(file, data, data_size) != data_size) fail("%s: short", data_path);
    for (long at = 0; at < longest; at++) data[data_size + at] = data[at];
    close(file);
}

/* --- many small requests on one thread */

struct connection {
    int socket;
    double sent_at;
    long left, held;
    char head[HEAD];
};

static double *latencies;
static long finished;

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void send_get(struct connection *c, long blocks) {
    char text[HEAD], range[96] = "";
    if (blocks) {
        long at = (((long)random() << 20) ^ random()) % blocks * RANGE;
        snprintf(range, sizeof range, "Range: bytes=%ld-%ld\r\n", at, at + RANGE - 1);
    }
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n", path, port, range, extra);
    c->left = -1;
    c->held = 0;
    c->sent_at = now();
    send_all(c->socket, text, n, 0);
}

static void receive_some(struct connection *c, char *buffer, int wanted) {
    if (c->left >= 0) {
        ssize_t n = recv(c->socket, buffer, BUFFER, 0);
        if (n <= 0) fail("recv: %s", n ? strerror(errno) : "connection closed");
        c->left -= n;
        return;
    }
    ssize_t n = recv(c->socket, c->head + c->held, HEAD - c->held, 0);
    if (n <= 0) fail("recv: %s", n ? strerror(errno) : "connection closed");
    c->held += n;
    struct response response;
    if (!parse_head(c->head, c->held, &response)) return;
    if (response.status != wanted) fail("%.*s", (int)c->held, c->head);
    c->left = response.body - response.with_head;
}

static void repeat(int count, double seconds, long blocks, int status) {
    struct connection *all = calloc(count, sizeof *all);
    struct epoll_event events[MAX_CONNECTIONS];
    char *buffer = malloc(BUFFER);
    int poll = epoll_create1(0);
    latencies = malloc(sizeof *latencies * 20000000);
    for (int i = 0; i < count; i++) {
        all[i].socket = open_connection();
        epoll_ctl(poll, EPOLL_CTL_ADD, all[i].socket, &(struct epoll_event){EPOLLIN, {.ptr = all + i}});
        send_get(all + i, blocks);
    }
    double start = now();
    while (now() - start < seconds) {
        int ready = epoll_wait(poll, events, MAX_CONNECTIONS, 1000);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            receive_some(c, buffer, status);
            if (c->left) continue;
            latencies[finished++] = now() - c->sent_at;
            send_get(c, blocks);
        }
    }
    double elapsed = now() - start;
    qsort(latencies, finished, sizeof *latencies, by_value);
    printf("{\"seconds\": %f, \"count\": %ld, \"p50\": %f, \"p99\": %f, \"max\": %f}\n", elapsed, finished,
           finished ? latencies[finished / 2] : 0, finished ? latencies[finished * 99 / 100] : 0,
           finished ? latencies[finished - 1] : 0);
}

int main(int argc, char **argv) {
    if (argc < 3) fail("see the top of load.c");
    const char *mode = argv[1];
    port = atoi(argv[2]);
    if (!strcmp(mode, "send")) {
        read_plan(argv[3]);
        read_data(argv[4]);
        hold_memory();
        long bytes = 0;
        for (int i = 0; i < planned; i++) bytes += plan[i].length;
        double seconds = in_threads(sender, atol(argv[5]));
        printf("{\"seconds\": %f, \"bytes\": %ld, \"errors\": %d}\n", seconds, bytes, errors);
        for (int i = 0; i < planned; i++) printf("%d\t%s\n", i, plan[i].etag ? plan[i].etag : "");
        return errors != 0;
    }
    path = argv[3];
    int fixed = !strcmp(mode, "fetch") ? 5 : 7;
    if (argc > fixed) {
        char *line = malloc(strlen(argv[fixed]) + 3);
        sprintf(line, "%s\r\n", argv[fixed]);
        extra = line;
    }
    if (!strcmp(mode, "fetch")) {
        double seconds = in_threads(fetcher, atol(argv[4]));
        printf("{\"seconds\": %f, \"bytes\": %ld, \"errors\": %d}\n", seconds, received, errors);
    } else if (!strcmp(mode, "ranges")) {
        repeat(atoi(argv[5]), atof(argv[6]), atol(argv[4]) / RANGE, 206);
    } else {
        repeat(atoi(argv[4]), atof(argv[5]), 0, atoi(argv[6]));
    }
    return errors != 0;
}
