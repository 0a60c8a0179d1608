/* paho's C library, asked the same as in steps.py: `paho_c_peer VERSION PORT [ca=FILE] [path=/mqtt]` */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int version;
static char address[256], authority[512];
static char problem[256];

static MQTTClient start(const char *name, MQTTClient_willOptions *will) {
    MQTTClient client = NULL;
    char id[64];
    snprintf(id, sizeof id, "c-%s-%d", name, version);
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    create.MQTTVersion = version == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    if (MQTTClient_createWithOptions(&client, address, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create)) return NULL;
    MQTTClient_connectOptions plain = MQTTClient_connectOptions_initializer;
    MQTTClient_connectOptions five = MQTTClient_connectOptions_initializer5;
    MQTTClient_connectOptions *options = version == 5 ? &five : &plain;
    MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
    options->MQTTVersion = create.MQTTVersion;
    options->connectTimeout = 20;
    options->will = will;
    if (authority[0]) {
        tls.trustStore = authority;
        tls.verify = 1;
        options->ssl = &tls;
    }
    int code;
    if (version == 5) {
        MQTTResponse response = MQTTClient_connect5(client, options, NULL, NULL);
        code = response.reasonCode;
        MQTTResponse_free(response);
    } else {
        code = MQTTClient_connect(client, options);
    }
    if (code) snprintf(problem, sizeof problem, "%s can't connect: %d", name, code);
    return code ? NULL : client;
}

static int subscribe(MQTTClient client, const char *filter, int qos) {
    int code;
    if (version == 5) {
        MQTTResponse response = MQTTClient_subscribe5(client, filter, qos, NULL, NULL);
        code = response.reasonCode;
        MQTTResponse_free(response);
        code = code > 2 ? code : 0;
    } else {
        code = MQTTClient_subscribe(client, filter, qos);
    }
    if (code) snprintf(problem, sizeof problem, "subscribe %s: %d", filter, code);
    return code == 0;
}

static int publish(MQTTClient client, const char *topic, const char *payload, int qos, int retain) {
    MQTTClient_deliveryToken token = 0;
    int code;
    if (version == 5) {
        MQTTResponse response = MQTTClient_publish5(
            client, topic, (int)strlen(payload), payload, qos, retain, NULL, &token);
        code = response.reasonCode;
        MQTTResponse_free(response);
    } else {
        code = MQTTClient_publish(client, topic, (int)strlen(payload), payload, qos, retain, &token);
    }
    if (!code && qos) code = MQTTClient_waitForCompletion(client, token, 20000);
    if (code) snprintf(problem, sizeof problem, "publish %s: %d", topic, code);
    return code == 0;
}

/* Receives one message and compares; a payload of NULL is any. */
static int expect(MQTTClient client, const char *topic, const char *payload, int qos, int retain) {
    char *name = NULL;
    int length = 0;
    MQTTClient_message *message = NULL;
    int code = MQTTClient_receive(client, &name, &length, &message, 20000);
    if (!message) {
        snprintf(problem, sizeof problem, "nothing on %s: %d", topic, code);
        return 0;
    }
    int is_same = !strcmp(name, topic) && (qos < 0 || message->qos == qos) && message->retained == retain &&
                  (!payload || ((size_t)message->payloadlen == strlen(payload) &&
                                !memcmp(message->payload, payload, strlen(payload))));
    if (!is_same) snprintf(problem, sizeof problem, "got %s, QoS %d, retain %d", name, message->qos, message->retained);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(name);
    return is_same;
}

static void end(MQTTClient client) {
    if (!client) return;
    if (version == 5) MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL);
    else MQTTClient_disconnect(client, 1000);
    MQTTClient_destroy(&client);
}

static int exchange(int qos) {
    char topic[8];
    snprintf(topic, sizeof topic, "q/%d", qos);
    MQTTClient client = start(topic + 2, NULL);
    int is_well = client && subscribe(client, topic, qos) && publish(client, topic, "payload", qos, 0) &&
                  expect(client, topic, "payload", qos, 0);
    end(client);
    return is_well;
}

static int retained(void) {
    MQTTClient first = start("first", NULL), second = start("second", NULL);
    int is_well = first && second && publish(first, "kept", "value", 1, 1) && subscribe(second, "kept", 1) &&
                  expect(second, "kept", "value", 1, 1) && publish(first, "kept", "", 1, 1);
    end(first);
    end(second);
    return is_well;
}

static int shared(void) {
    MQTTClient members[2] = {start("member0", NULL), start("member1", NULL)}, boss = start("boss", NULL);
    int is_well = members[0] && members[1] && boss && subscribe(members[0], "$share/group/work", 1) &&
                  subscribe(members[1], "$share/group/work", 1);
    for (int number = 0; is_well && number < 4; number++) is_well = publish(boss, "work", "x", 1, 0);
    for (int turn = 0; is_well && turn < 4; turn++) is_well = expect(members[turn % 2], "work", "x", 1, 0);
    end(members[0]);
    end(members[1]);
    end(boss);
    return is_well;
}

static void tell(const char *name, int is_well, const char *after) {
    printf("\"%s\": \"%s\"%s", name, is_well ? "yes" : problem, after);
}

int main(int count, char **arguments) {
    if (count < 3) return 2;
    version = atoi(arguments[1]);
    const char *path = NULL;
    for (int index = 3; index < count; index++) {
        if (!strncmp(arguments[index], "ca=", 3)) snprintf(authority, sizeof authority, "%s", arguments[index] + 3);
        if (!strncmp(arguments[index], "path=", 5)) path = arguments[index] + 5;
    }
    snprintf(address, sizeof address, "%s://%s:%s%s", path ? (authority[0] ? "wss" : "ws") : authority[0] ? "ssl" : "tcp",
             authority[0] ? "localhost" : "127.0.0.1", arguments[2], path ? path : "");
    MQTTClient_init_options init = MQTTClient_init_options_initializer;
    init.do_openssl_init = 1;
    MQTTClient_global_init(&init);
    printf("{");
    tell("QoS 0", exchange(0), ", ");
    tell("QoS 1", exchange(1), ", ");
    tell("QoS 2", exchange(2), ", ");
    tell("retained", retained(), ", ");
    tell("shared", shared(), "}\n");
    return 0;
}
