/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
#pragma once
#include "../observe/services.h"
#include "../observe/share.h"
#include "../settings.h"

/* The results of sockets' calls: reported, and counted. */

/* The port that the socket is bound to; 0: none yet. */
static __always_inline __be16 port_of(struct bpf_sock_addr *socket)
{
	return socket->sk ? bpf_htons(socket->sk->src_port) : 0;
}

/* A datagram of an unconnected socket opens no connection: only its refusal is reported. */
static __always_inline void report_socket(enum event_kind kind, struct bpf_sock_addr *socket, enum outcome refusal,
					  const struct socket_peer *peer)
{
	struct event *event;

	if (!has_listeners())
		return;
	event = kind == EVENT_REFUSED ? report_refused_socket(bpf_get_netns_cookie(socket))
				      : report_reserve(kind, REPORT_OPENED, REPORT_MOST_OPENED);
	if (!event)
		return;
	event->packet.destination = peer->frontend;
	event->packet.destination_port = peer->frontend_port;
	event->packet.source_port = port_of(socket);
	event->packet.protocol = socket->protocol;
	event->outcome = refusal;
	event->backend = peer->backend;
	event->address = peer->address;
	event->port = peer->port;
	event_submit(event);
}

/* @param refusal enum outcome; SERVICE_COUNT_CONNECTIONS: the socket is given a backend */
static __always_inline void count_socket(const struct service *service, __u32 refusal)
{
	const struct settings *settings = settings_get();

	if (settings && counts_services(settings))
		count_service(service->backend_list, refusal, 0);
}
