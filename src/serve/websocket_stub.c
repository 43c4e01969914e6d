/* websocket_stub.c: stands in for websocket.c in a build without
 * libwebsockets. */
#include "serve/websocket.h"

#include "base/error.h"

static moshi_status lacking(moshi_error *err)
{
    error_set(err, MOSHI_LACKING, "this program was built without "
              "libwebsockets, which serving and connecting need");
    error_hint(err, "install libwebsockets-dev and build again");
    return MOSHI_LACKING;
}

moshi_status web_listen(web **out, const web_params *params, moshi_error *err)
{
    (void)out, (void)params;
    return lacking(err);
}

moshi_status web_connect(web **out, const web_params *params,
                         const web_target *target, moshi_error *err)
{
    (void)out, (void)params, (void)target;
    return lacking(err);
}

int web_port(const web *w)
{
    (void)w;
    return 0;
}

void web_close(web **w)
{
    (void)w;
}

void web_run(web *w)
{
    (void)w;
}

void web_stop(web *w)
{
    (void)w;
}

void web_wake(web *w)
{
    (void)w;
}

void web_peer_send(web_peer *peer)
{
    (void)peer;
}

void web_peer_pause(web_peer *peer, bool pause)
{
    (void)peer, (void)pause;
}

void web_peer_close(web_peer *peer, int code, const char *reason)
{
    (void)peer, (void)code, (void)reason;
}

void web_peer_drop(web_peer *peer)
{
    (void)peer;
}
