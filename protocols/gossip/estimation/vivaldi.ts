/**
 * Network coordinates (Dabek, Cox, Kaashoek, Morris, "Vivaldi", SIGCOMM 2004): each member places itself so that distances
 * between coordinates are round-trip times, and so estimates the time to members that it has never talked to. With a height
 * for the access link (§5.4) and serf's constants; gravity, median filter and adjustment window are not here.
 */
import { assert, type ChoicePort } from "../../core/index.ts";

/** Dimensions beside the height (serf). */
export const COORDINATE_DIMENSIONS = 8;
/** The largest error, and what a newcomer begins with. */
const ERROR_MAX = 1.5;
/** How much one sample moves the error (c_e) and the place (c_c). */
const ERROR_GAIN = 0.25;
const PLACE_GAIN = 0.25;
/** In ms: no access link is shorter. */
const HEIGHT_MS_MIN = 0.01;
/** In ms: a longer round trip is no sample (serf takes at most 10 s). */
export const ROUND_TRIP_MS_MAX = 10_000;
/** In ms: coordinates are not believed beyond it. */
const PLACE_MS_MAX = 100_000;

export interface Coordinate {
	/** In ms. */
	readonly place: readonly number[];
	/** In ms. */
	readonly heightMs: number;
	/** Relative; 0 is certain. */
	readonly error: number;
}

export const originCoordinate: Coordinate = {
	place: new Array<number>(COORDINATE_DIMENSIONS).fill(0),
	heightMs: HEIGHT_MS_MIN,
	error: ERROR_MAX,
};

/** Whether a coordinate that came from elsewhere can be taken: NaN or infinity would spread to all (serf #468). */
export function isSoundCoordinate({ place, heightMs, error }: Coordinate): boolean {
	if (!Array.isArray(place) || place.length !== COORDINATE_DIMENSIONS) return false;
	if (!place.every((value) => Number.isFinite(value) && Math.abs(value) <= PLACE_MS_MAX)) return false;
	return heightMs >= 0 && heightMs <= PLACE_MS_MAX && error >= 0 && error <= ERROR_MAX;
}

/** Bytes of a coordinate in a message: each number as a float of 32 bits. */
export const COORDINATE_BYTES: number = 4 * (COORDINATE_DIMENSIONS + 2);

export function encodeCoordinate({ place, heightMs, error }: Coordinate): Uint8Array {
	const view = new DataView(new ArrayBuffer(COORDINATE_BYTES));
	[...place, heightMs, error].forEach((value, i) => {
		view.setFloat32(4 * i, value);
	});
	return new Uint8Array(view.buffer);
}

/** A coordinate from elsewhere; null if the bytes are none, or one that is not sound. */
export function decodeCoordinate(bytes: Uint8Array): Coordinate | null {
	if (bytes.length !== COORDINATE_BYTES) return null;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const place = Array.from({ length: COORDINATE_DIMENSIONS }, (_, i) => view.getFloat32(4 * i));
	const heightMs = view.getFloat32(4 * COORDINATE_DIMENSIONS);
	const coordinate = { place, heightMs, error: view.getFloat32(4 * COORDINATE_DIMENSIONS + 4) };
	return isSoundCoordinate(coordinate) ? coordinate : null;
}

/** The round trip between two members as their coordinates have it, in ms. */
export function estimateRoundTripMs(a: Coordinate, b: Coordinate): number {
	return distance(a, b) + a.heightMs + b.heightMs;
}

/**
 * The own coordinate after one measured round trip to a member; unchanged if the sample or the other's coordinate is not sound.
 * @param choices draws a direction for two members in one place
 */
export function updateCoordinate(
	own: Coordinate,
	other: Coordinate,
	roundTripMs: number,
	choices: ChoicePort,
): Coordinate {
	assert(isSoundCoordinate(own), "the own coordinate stays sound");
	if (!isSoundCoordinate(other)) return own;
	if (!(roundTripMs > 0 && roundTripMs <= ROUND_TRIP_MS_MAX)) return own;
	const estimate = estimateRoundTripMs(own, other);
	const total = own.error + other.error;
	// Who is less certain moves more (§4.2).
	const weight = total > 0 ? own.error / total : 0.5;
	const sampleError = Math.abs(estimate - roundTripMs) / roundTripMs;
	const error = Math.min(ERROR_MAX, sampleError * ERROR_GAIN * weight + own.error * (1 - ERROR_GAIN * weight));
	const force = PLACE_GAIN * weight * (roundTripMs - estimate);
	const apart = distance(own, other);
	const direction =
		apart > 1e-6 ? own.place.map((x, i) => (x - (other.place[i] as number)) / apart) : drawDirection(choices);
	const place = own.place.map((x, i) => clamp(x + force * (direction[i] as number)));
	const rise = apart > 1e-6 ? (force * (own.heightMs + other.heightMs)) / apart : 0;
	return { place, heightMs: Math.min(PLACE_MS_MAX, Math.max(HEIGHT_MS_MIN, own.heightMs + rise)), error };
}

function distance(a: Coordinate, b: Coordinate): number {
	let squares = 0;
	for (let i = 0; i < COORDINATE_DIMENSIONS; i++) squares += ((a.place[i] as number) - (b.place[i] as number)) ** 2;
	return Math.sqrt(squares);
}

function clamp(value: number): number {
	return Math.min(PLACE_MS_MAX, Math.max(-PLACE_MS_MAX, value));
}

/** A unit vector. */
function drawDirection(choices: ChoicePort): number[] {
	const raw = Array.from({ length: COORDINATE_DIMENSIONS }, () => choices.below(2_001) - 1_000);
	const length = Math.sqrt(raw.reduce((sum, x) => sum + x * x, 0));
	return length === 0 ? raw.map((_, i) => (i === 0 ? 1 : 0)) : raw.map((x) => x / length);
}
