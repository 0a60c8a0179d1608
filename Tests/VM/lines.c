// lines: moves the lines of a gpio-sim chip at a given pace, and measures how long the gateway takes.
//
//   lines toggle PULL COUNT PERIOD      pull-up and pull-down, COUNT times, PERIOD microseconds each
//   lines changes VALUE TIME            counts how often VALUE changes in TIME milliseconds
//   lines edges PULL TOPIC ROUNDS       from a write to PULL to the message on TOPIC, microseconds a round
//   lines commands VALUE TOPIC ROUNDS   from ON and OFF published to TOPIC until VALUE has changed
//   lines register BUS CHIP NUMBER WORD writes a register of a chip on an I2C bus, its high byte first
//
// PULL and VALUE are the chip's own files in sysfs. It speaks just enough MQTT 3.1.1 for that: a client in the machine has
// the machine's own clock, and no network of an emulator in between.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void pause_for(long microseconds) {
    struct timespec t = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&t, NULL);
}

static int open_file(const char *path, int flags) {
    int file = open(path, flags);
    if (file < 0) fail(path);
    return file;
}

static void pull(int file, int up) {
    const char *word = up ? "pull-up" : "pull-down";
    if (pwrite(file, word, strlen(word), 0) < 0) fail("pull");
}

static int level(int file) {
    char digit = 0;
    if (pread(file, &digit, 1, 0) != 1) fail("value");
    return digit == '1';
}

static void toggle(const char *path, long count, long period) {
    int file = open_file(path, O_WRONLY);
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    for (long half = 0; half < 2 * count; half++) {
        pull(file, half % 2 == 0);
        t.tv_nsec += period * 500;
        while (t.tv_nsec >= 1000000000) {
            t.tv_nsec -= 1000000000;
            t.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    }
}

static void changes(const char *path, long milliseconds) {
    int file = open_file(path, O_RDONLY), last = level(file), count = 0;
    double end = now() + milliseconds * 1e3;
    while (now() < end) {
        int new = level(file);
        count += new != last;
        last = new;
        pause_for(2000);
    }
    printf("%d\n", count);
}

static void set_register(const char *bus, long chip, long number, long word) {
    int file = open_file(bus, O_RDWR);
    union i2c_smbus_data data = {.word = (word & 255) << 8 | (word >> 8 & 255)};
    struct i2c_smbus_ioctl_data request = {I2C_SMBUS_WRITE, number, I2C_SMBUS_WORD_DATA, &data};
    // Its driver has it already.
    if (ioctl(file, I2C_SLAVE_FORCE, chip) < 0 || ioctl(file, I2C_SMBUS, &request) < 0) fail(bus);
}

// MARK: MQTT

static int broker = -1;

static void put(const unsigned char *bytes, size_t count) {
    if (write(broker, bytes, count) != (ssize_t)count) fail("the broker");
}

static void get(unsigned char *bytes, size_t count) {
    while (count > 0) {
        ssize_t some = read(broker, bytes, count);
        if (some <= 0) fail("the broker has closed the connection");
        bytes += some;
        count -= some;
    }
}

// Reads one packet, and returns its first byte.
static int packet(void) {
    unsigned char first, digit, rest[4096];
    size_t length = 0;
    int shift = 0;
    get(&first, 1);
    do {
        get(&digit, 1);
        length |= (size_t)(digit & 127) << shift;
        shift += 7;
    } while (digit & 128);
    if (length > sizeof rest) fail("a long packet");
    get(rest, length);
    return first;
}

static size_t text(unsigned char *to, const char *from) {
    size_t length = strlen(from);
    to[0] = length >> 8;
    to[1] = length;
    memcpy(to + 2, from, length);
    return length + 2;
}

static void reach_broker(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1883), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {10, 0};
    int yes = 1;
    broker = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(broker, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(broker, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(broker, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const unsigned char hello[] = {0x10, 17, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 5, 'l', 'i', 'n', 'e', 's'};
    put(hello, sizeof hello);
    if (packet() != 0x20) fail("CONNACK");
}

static void subscribe(const char *topic) {
    unsigned char request[256] = {0x82, 0, 0, 1};
    size_t length = 4 + text(request + 4, topic);
    request[length++] = 0;
    request[1] = length - 2;
    put(request, length);
    while (packet() != 0x90) {}
}

static void publish(const char *topic, const char *payload) {
    unsigned char message[256] = {0x30};
    size_t length = 2 + text(message + 2, topic);
    memcpy(message + length, payload, strlen(payload));
    length += strlen(payload);
    message[1] = length - 2;
    put(message, length);
}

// MARK: latencies

static void edges(const char *path, const char *topic, long rounds) {
    int file = open_file(path, O_WRONLY);
    pull(file, 0);
    reach_broker();
    subscribe(topic);
    pause_for(500000);
    // What was retained comes first, and has its flag.
    for (long round = 1; round <= rounds; round++) {
        double began = now();
        pull(file, round % 2);
        while ((packet() & 0xF1) != 0x30) {}
        printf("%.0f\n", now() - began);
        pause_for(20000);
    }
}

static void commands(const char *path, const char *topic, long rounds) {
    int file = open_file(path, O_RDONLY);
    reach_broker();
    publish(topic, "OFF");
    pause_for(500000);
    for (long round = 1; round <= rounds; round++) {
        double began = now();
        publish(topic, round % 2 ? "ON" : "OFF");
        while (level(file) != round % 2) {
            if (now() - began > 1e7) fail("the line does not change");
            pause_for(50);
        }
        printf("%.0f\n", now() - began);
        pause_for(20000);
    }
}

int main(int count, char **words) {
    if (count == 5 && !strcmp(words[1], "toggle")) {
        toggle(words[2], atol(words[3]), atol(words[4]));
    } else if (count == 5 && !strcmp(words[1], "edges")) {
        edges(words[2], words[3], atol(words[4]));
    } else if (count == 5 && !strcmp(words[1], "commands")) {
        commands(words[2], words[3], atol(words[4]));
    } else if (count == 4 && !strcmp(words[1], "changes")) {
        changes(words[2], atol(words[3]));
    } else if (count == 6 && !strcmp(words[1], "register")) {
        set_register(words[2], strtol(words[3], NULL, 0), strtol(words[4], NULL, 0), strtol(words[5], NULL, 0));
    } else {
        fprintf(stderr, "lines toggle PULL COUNT PERIOD | changes VALUE TIME | edges PULL TOPIC ROUNDS | commands VALUE TOPIC ROUNDS"
                        " | register BUS CHIP NUMBER WORD\n");
        return 2;
    }
    return 0;
}
