/** The bounds of the way to the disk, in one place, with the relations between them. */
import { assert } from "../../protocols/core/index.ts";
import { STORE_VALUE_BYTES_MAX } from "./contract.ts";

/** Bytes that one group commit takes; a single larger write makes a group of its own. */
export const STORAGE_GROUP_BYTES_MAX: number = 4 * 1024 * 1024;
/** Writes that one group commit takes. */
export const STORAGE_GROUP_WRITES_MAX = 4_096;
/** How long a group waits for writers that are about to come, as a share of what the last flush took. */
export const STORAGE_GATHER_SHARE = 0.25;
/** It waits no longer than this, however slow the disk. */
export const STORAGE_GATHER_MS_MAX = 3;
/** And not at all when it would be less: timers are not that fine. */
export const STORAGE_GATHER_MS_MIN = 0.25;
/** Groups in which a writer may be absent before the others wait for it no more. */
export const STORAGE_GATHER_ABSENCES = 1;
/** Bytes that may wait in the storage thread. Beyond it the actor holds its mailbox back, so that lanes fill and writers wait. */
export const STORAGE_QUEUE_BYTES_MAX: number = 32 * 1024 * 1024;
/** Loads and snapshot reads that may wait for earlier writes. */
export const STORAGE_READS_WAITING_MAX = 1_024;
/** Stores of which a storage actor remembers that they hold something; then another one is refused. */
export const STORES_FOUNDED_MAX = 65_536;
/** Stores that may be open. */
export const STORES_OPEN_MAX = 4_096;
/** A message stops taking operations and records at this size; one larger record still travels alone. */
export const STORAGE_MESSAGE_BYTES: number = 512 * 1024;
/** A page of contents or of a snapshot; one larger value travels in a page of its own. */
export const STORAGE_PAGE_BYTES: number = 256 * 1024;
/** Pages that a store's opener asks for ahead: what the storage prepares while another is on its way. */
export const STORAGE_PAGES_AHEAD = 4;
/** Bytes on the way to the disk from which on a writer should hold back, see `StorageClient.hasRoom`. */
export const STORAGE_ROOM_BYTES: number = 8 * 1024 * 1024;
/** Bytes on the way to the disk over which a write is refused with `storage-backlog-full`. */
export const STORAGE_OUTSTANDING_BYTES_MAX: number = 64 * 1024 * 1024;
/** Pause before a message is told again that found its lane or mailbox full. */
export const STORAGE_RETRY_MS = 1;
/** How long a load or a snapshot read may take: it waits for whole groups before it, on a disk that may be slow. */
export const STORAGE_ANSWER_TIMEOUT_MS = 60_000;

assert(STORAGE_MESSAGE_BYTES <= STORE_VALUE_BYTES_MAX, "a message holds less than the largest value");
assert(STORAGE_PAGE_BYTES <= STORE_VALUE_BYTES_MAX, "a page holds less than the largest value");
assert(STORAGE_ROOM_BYTES < STORAGE_OUTSTANDING_BYTES_MAX, "a writer is asked to hold back before it is refused");
/** How long after an ask that found the storage's lane full it is asked again, and how often in all: for ten seconds. */
export const STORAGE_ASK_RETRY_MS = 10;
export const STORAGE_ASK_ATTEMPTS_MAX = 1_000;
