/** What can go wrong with actors, as typed errors: code and details. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	actorDead: ["actor-dead", (d: { actor: string; why: string }) => `actor ${d.actor} is gone: ${d.why}`],
	askTimeout: [
		"ask-timeout",
		(d: { actor: string; timeoutMs: number }) => `actor ${d.actor} did not answer within ${d.timeoutMs} ms`,
	],
	asksExhausted: [
		"asks-exhausted",
		(d: { pendingMax: number }) => `${d.pendingMax} asks of this thread wait for an answer already`,
	],
	mailboxFull: [
		"mailbox-full",
		(d: { actor: string }) => `the mailbox of actor ${d.actor}, or the lane to it, has no room`,
	],
	mailboxOverflow: [
		"mailbox-overflow",
		(d: { actor: string; capacity: number }) =>
			`more than ${d.capacity} messages wait for actor ${d.actor}, whose policy is to fail then`,
	],
	waitersExhausted: [
		"waiters-exhausted",
		(d: { actor: string; waitersMax: number }) => `${d.waitersMax} senders wait for room at actor ${d.actor} already`,
	],
	messageTooLarge: ["message-too-large", (d: { actor: string }) => `a message for actor ${d.actor} is over the limit`],
	stashOverflow: [
		"stash-overflow",
		(d: { actor: string; stashMax: number }) => `actor ${d.actor} has ${d.stashMax} stashed messages already`,
	],
	nothingToStash: ["nothing-to-stash", (d: { actor: string }) => `actor ${d.actor} is not handling a message`],
	becomeOverflow: [
		"become-overflow",
		(d: { actor: string; becomeMax: number }) => `actor ${d.actor} has become ${d.becomeMax} times without unbecome`,
	],
	childFailed: [
		"child-failed",
		(d: { child: string; reason: string }) => `child ${d.child} failed (${d.reason}) and its parent handles no signals`,
	],
	linkedActorDied: [
		"linked-actor-died",
		(d: { actor: string; reason: string }) => `linked actor ${d.actor} ended: ${d.reason}`,
	],
	nameTaken: ["name-taken", (d: { name: string }) => `an actor named ${d.name} is alive`],
	notAChild: ["not-a-child", (d: { parent: string; actor: string }) => `${d.actor} is no child of ${d.parent}`],
	placementNeedsMainThread: [
		"placement-needs-main-thread",
		(d: { name: string; slot: number }) =>
			`actor ${d.name} is to have a thread, and threads are started from the main thread only; slot ${d.slot} asked`,
	],
	notABehaviour: [
		"not-a-behaviour",
		(d: { name: string; found: string }) =>
			`the behaviour of actor ${d.name} is ${d.found}; expected a class with a receive method or a reactive function`,
	],
	startInterrupted: ["start-interrupted", (d: { actor: string }) => `actor ${d.actor} was ended while it started`],
	tooManyThreads: [
		"too-many-threads",
		(d: { name: string; threadsMax: number }) =>
			`no slot is free for thread ${d.name}: a system has at most ${d.threadsMax} threads`,
	],
	threadDied: [
		"thread-died",
		(d: { name: string; slot: number; cause: string; call: string }) =>
			`thread ${d.name} (slot ${d.slot}) ended (${d.cause}) before it answered ${d.call}; the outcome is unknown`,
	],
	threadNotRunning: [
		"thread-not-running",
		(d: { slot: number; state: string }) => `slot ${d.slot} holds no running thread (it is ${d.state})`,
	],
	moduleNotLoadable: [
		"module-not-loadable",
		(d: { module: string; hint: string }) => `module ${d.module} can not be loaded: ${d.hint}`,
	],
	exportMissing: [
		"export-missing",
		(d: { module: string; export: string; exports: readonly string[] }) =>
			`module ${d.module} has no export ${d.export}; it exports ${d.exports.join(", ") || "nothing"}`,
	],
	localSourceOnThread: [
		"local-source-on-thread",
		(d: { name: string }) =>
			`actor ${d.name} is a closure, which can not travel to another thread: name its behaviour by module and export`,
	],
	watchesExhausted: [
		"watches-exhausted",
		(d: { actor: string; watchesMax: number }) =>
			`actor ${d.actor} can not be watched: the actors of this thread hold ${d.watchesMax} watches already`,
	],
	threadNeverKilled: [
		"thread-never-killed",
		(d: { slot: number; name: string; cause: string }) =>
			`thread ${d.name} (slot ${d.slot}) may be inside of code that must not be cut off, and is never ${d.cause}`,
	],
	threadGone: [
		"thread-gone",
		(d: { slot: number; why: string }) => `the thread in slot ${d.slot} is not coming back: ${d.why}`,
	],
	stopTimeout: [
		"stop-timeout",
		(d: { actor: string; timeoutMs: number }) =>
			`actor ${d.actor} could not be ended within ${d.timeoutMs} ms: its shared thread does not answer`,
	],
	systemStopped: ["system-stopped", (d: { what: string }) => `the actor system has stopped: ${d.what}`],
});

/** Its outcome is unknown: `{actor, why}`. */
export const actorDead: ErrorMaker<{ actor: string; why: string }> = defined.actorDead;
/** No answer in time; the outcome is unknown: `{actor, timeoutMs}`. */
export const askTimeout: ErrorMaker<{ actor: string; timeoutMs: number }> = defined.askTimeout;
/** The bound of unanswered asks of one thread: `{pendingMax}`. */
export const asksExhausted: ErrorMaker<{ pendingMax: number }> = defined.asksExhausted;
/** An ask found no room; nothing was done: `{actor}`. */
export const mailboxFull: ErrorMaker<{ actor: string }> = defined.mailboxFull;
/** What an actor with the policy `fail-actor` fails with: `{actor, capacity}`. */
export const mailboxOverflow: ErrorMaker<{ actor: string; capacity: number }> = defined.mailboxOverflow;
/** The bound of `tellWhenReady` calls waiting for one target: `{actor, waitersMax}`. */
export const waitersExhausted: ErrorMaker<{ actor: string; waitersMax: number }> = defined.waitersExhausted;
/** Over the limit of one message; nothing was sent: `{actor}`. */
export const messageTooLarge: ErrorMaker<{ actor: string }> = defined.messageTooLarge;
/** The bound of stashed messages: `{actor, stashMax}`. */
export const stashOverflow: ErrorMaker<{ actor: string; stashMax: number }> = defined.stashOverflow;
/** `stash` outside of a message: `{actor}`. */
export const nothingToStash: ErrorMaker<{ actor: string }> = defined.nothingToStash;
/** `become` too deep: `{actor, becomeMax}`. */
export const becomeOverflow: ErrorMaker<{ actor: string; becomeMax: number }> = defined.becomeOverflow;
/** What a parent without a `signal` hook fails with when a child fails: `{child, reason}`. */
export const childFailed: ErrorMaker<{ child: string; reason: string }> = defined.childFailed;
/** What a linked actor fails with: `{actor, reason}`. */
export const linkedActorDied: ErrorMaker<{ actor: string; reason: string }> = defined.linkedActorDied;
/** Names are unique among living actors: `{name}`. */
export const nameTaken: ErrorMaker<{ name: string }> = defined.nameTaken;
/** Only a parent restarts, suspends and stops: `{parent, actor}`. */
export const notAChild: ErrorMaker<{ parent: string; actor: string }> = defined.notAChild;
/** A placement other than `local` outside the main thread: `{name, slot}`. */
export const placementNeedsMainThread: ErrorMaker<{ name: string; slot: number }> = defined.placementNeedsMainThread;
/** The export or closure gives no behaviour: `{name, found}`. */
export const notABehaviour: ErrorMaker<{ name: string; found: string }> = defined.notABehaviour;
/** The actor was stopped before its `started` hook had completed: `{actor}`. */
export const startInterrupted: ErrorMaker<{ actor: string }> = defined.startInterrupted;
/** A dead thread that nobody replaced in time, or whose slot was given back: `{slot, why}`. */
export const threadGone: ErrorMaker<{ slot: number; why: string }> = defined.threadGone;
/** A stop that the actor's shared thread did not answer: `{actor, timeoutMs}`. */
export const stopTimeout: ErrorMaker<{ actor: string; timeoutMs: number }> = defined.stopTimeout;
/** A call after `ActorSystem.stop`: `{what}`. */
export const systemStopped: ErrorMaker<{ what: string }> = defined.systemStopped;
/** A thread whose actor is never killed was to be: `{slot, name, cause}`. */
export const threadNeverKilled: ErrorMaker<{ slot: number; name: string; cause: string }> = defined.threadNeverKilled;
/** The actors of one thread watch too many others: `{actor, watchesMax}`. */
export const watchesExhausted: ErrorMaker<{ actor: string; watchesMax: number }> = defined.watchesExhausted;
/** All slots are taken: `{name, threadsMax}`. */
export const tooManyThreads: ErrorMaker<{ name: string; threadsMax: number }> = defined.tooManyThreads;
/** The thread ended while a control call was pending; the outcome is unknown: `{name, slot, cause, call}`. */
export const threadDied: ErrorMaker<{ name: string; slot: number; cause: string; call: string }> = defined.threadDied;
/** The slot is free, starting or dead: `{slot, state}`. */
export const threadNotRunning: ErrorMaker<{ slot: number; state: string }> = defined.threadNotRunning;
/** A module that does not exist, throws while it loads, or is TypeScript: `{module, hint}`. */
export const moduleNotLoadable: ErrorMaker<{ module: string; hint: string }> = defined.moduleNotLoadable;
/** The module has no such export: `{module, export, exports}`. */
export const exportMissing: ErrorMaker<{ module: string; export: string; exports: readonly string[] }> =
	defined.exportMissing;
/** A closure was to start on another thread: `{name}`. */
export const localSourceOnThread: ErrorMaker<{ name: string }> = defined.localSourceOnThread;
