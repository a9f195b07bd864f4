/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages by their names, for whoever prints or reads them: X(NAME) for each VMBUS_NAME.
 */
#ifndef OVID_VMBUS_NAMES_H
#define OVID_VMBUS_NAMES_H

#include "proto.h"

/* the last one has no comma behind it */
#define VMBUS_MESSAGES(X, Y)	\
	X(OFFER)		\
	X(RESCIND)		\
	X(REQUEST_OFFERS)	\
	X(ALL_OFFERS)		\
	X(OPEN)			\
	X(OPEN_RESULT)		\
	X(CLOSE)		\
	X(GPADL_HEADER)		\
	X(GPADL_BODY)		\
	X(GPADL_CREATED)	\
	X(GPADL_TEARDOWN)	\
	X(GPADL_TORNDOWN)	\
	X(RELID_RELEASED)	\
	X(INITIATE_CONTACT)	\
	X(VERSION_RESPONSE)	\
	X(UNLOAD)		\
	X(UNLOAD_RESPONSE)	\
	X(TL_CONNECT)		\
	X(MODIFY)		\
	X(TL_RESULT)		\
	X(MODIFY_RESPONSE)	\
	X(MODIFY_CONN)		\
	Y(MODIFY_CONN_RESPONSE)

#endif
