/*
 * A lane and its wake-ups, as a model for Spin: one producer, one consumer, a ring, and the handshake by which each of them
 * sleeps until the other has something for it. It models runtime/memory/lane-layout.ts (the ring, and waiting for room) and
 * parking.ts (the handshake, with the blocking way to sleep). lane-model.test.ts checks it.
 *
 * Every statement is at most one access to shared memory, and they are sequentially consistent, as `Atomics` are. A record
 * is two words, so that half a record can be seen. The producer may die between any two accesses, once; its successor
 * attaches to what is published. What must hold: records arrive whole, in order, each once (the assertion); and on every run
 * all of them arrive (`everything_arrives`), so nobody sleeps for ever while there is work.
 *
 * Each name after an #ifdef or #ifndef is a bug, planted with -D. Each must be refuted.
 */
#define RECORDS 4
#define SLOTS 2

#define PRODUCER 0
#define CONSUMER 1

/* The ring. Its positions count records; the lane's count bytes. */
byte first_half[SLOTS], second_half[SLOTS];
byte tail, head;
bool room_wanted;

/* The control blocks, by thread. `announced` is the bit of the only peer: the consumer's dirty bit, the producer's room bit. */
bool announced[2], parked[2];
byte doorbell[2];
/* In `Atomics.wait`, and not notified. */
bool sleeping[2];

/* The producer's thread is to end here. */
bool dies;

/* Of producer and consumer, those that have come to their end: all is sent, all has arrived. */
byte ended;

/* ControlBlock.announce and ring: the bit, then the state; for a sleeper the doorbell, then the notification. */
inline announce(thread) {
	announced[thread] = true;
	if
	:: parked[thread] ->
		doorbell[thread]++;
		sleeping[thread] = false
	:: else
	fi
}

/* BlockingParking.park. `Atomics.wait` compares and falls asleep in one step. */
inline park(thread, rung) {
	rung = doorbell[thread];
	parked[thread] = true;
	if
#ifndef NO_LOOK_BEFORE_SLEEP
	:: announced[thread]
#endif
	:: else ->
		atomic {
			if
#ifndef NO_DOORBELL
			:: doorbell[thread] != rung
#endif
			:: else -> sleeping[thread] = true
			fi
		};
		!sleeping[thread]
	fi;
	parked[thread] = false
}

/* LaneWriter.reserve, and awaitRoom where that finds none. */
inline reserve() {
	do
	:: tail - head < SLOTS -> break
	:: else ->
		announced[PRODUCER] = false;
		room_wanted = true;
		if
#ifndef NO_LOOK_BEFORE_WAITING_FOR_ROOM
		:: tail - head < SLOTS
#endif
		:: else -> park(PRODUCER, rung)
		fi
	od;
	room_wanted = false
}

inline write(record) {
	first_half[(record - 1) % SLOTS] = record;
	second_half[(record - 1) % SLOTS] = record
}

/* One life: announces what the last one may not have, and then sends what it has not published. */
inline live() {
#ifndef NO_ANNOUNCEMENT_OF_A_SUCCESSOR
	announce(CONSUMER);
#endif
	do
	:: tail == RECORDS -> break
	:: else ->
		reserve();
#ifdef PUBLISH_BEFORE_WRITE
		tail++;
		write(tail);
		announce(CONSUMER)
#else
		write(tail + 1);
#ifdef ANNOUNCE_BEFORE_PUBLISH
		announce(CONSUMER);
		tail++
#else
		tail++;
		announce(CONSUMER)
#endif
#endif
	od
}

active proctype producer() {
	byte rung;
life:
	{ live() } unless { dies };
	if
	:: atomic {
			dies ->
			/* What the thread knew is gone; the next one takes its slot. */
			dies = false;
			rung = 0;
			sleeping[PRODUCER] = false;
			parked[PRODUCER] = false
		}
		goto life
	:: else -> ended++
	fi
}

active proctype consumer() {
	byte rung, received, one, two;
	do
	:: received == RECORDS -> break
	:: else ->
		announced[CONSUMER] = false;
		do
		:: tail == received -> break
		:: else ->
#ifdef FREE_BEFORE_READ
			head++;
#endif
			one = first_half[received % SLOTS];
			two = second_half[received % SLOTS];
			assert(one == received + 1 && two == received + 1);
			received++;
#ifndef FREE_BEFORE_READ
			head++;
#endif
#ifndef NO_OFFER_OF_ROOM
			if
			:: room_wanted -> announce(PRODUCER)
			:: else
			fi
#endif
		od;
		if
		:: received < RECORDS -> park(CONSUMER, rung)
		:: else
		fi
	od;
	ended++
}

/* Lets the producer die at any moment, or not at all. */
active proctype fate() {
	if
	:: dies = true
	:: skip
	fi
}

ltl everything_arrives { <> (ended == 2) }
