/**
 * Streams whose observers can not harm who feeds them. RxJS 7 rethrows what an observer throws from a timer, where it
 * would end the thread; here the observer is unsubscribed at once and the error is reported.
 */
import type { Observer, Subscription } from "rxjs";
import { Observable } from "rxjs/internal/Observable";
import { Subject } from "rxjs/internal/Subject";
import { Subscriber } from "rxjs/internal/Subscriber";

type ObserverOrNext<T> = Partial<Observer<T>> | ((value: T) => void) | null | undefined;

/** An observable whose final observers, after whatever operators, are isolated from its source. */
export class IsolatedObservable<T> extends Observable<T> {
	#thrown: (error: unknown) => void;

	constructor(source: Observable<T> | null, thrown: (error: unknown) => void) {
		super();
		this.#thrown = thrown;
		if (source !== null) this.source = source as Observable<unknown>;
	}

	/** RxJS builds each operator's observable through this, so the whole chain stays isolated. */
	override lift<R>(operator: Parameters<Observable<T>["lift"]>[0]): Observable<R> {
		const lifted = new IsolatedObservable<R>(null, this.#thrown);
		lifted.source = this as Observable<unknown>;
		(lifted as unknown as { operator: unknown }).operator = operator;
		return lifted;
	}

	override subscribe(
		observerOrNext?: ObserverOrNext<T>,
		error?: ((error: unknown) => void) | null,
		complete?: (() => void) | null,
	): Subscription {
		// Operators subscribe with a Subscriber of their own: only the end of the chain is wrapped.
		if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
		const observer: Partial<Observer<T>> =
			typeof observerOrNext === "function"
				? { next: observerOrNext, ...(error ? { error } : {}), ...(complete ? { complete } : {}) }
				: (observerOrNext ?? {});
		const guard = new GuardedSubscriber<T>(observer, this.#thrown);
		return super.subscribe(guard);
	}
}

/** The end of a chain: what the observer throws ends its own subscription and is reported, at once. */
class GuardedSubscriber<T> extends Subscriber<T> {
	readonly #observer: Partial<Observer<T>>;
	readonly #thrown: (error: unknown) => void;

	constructor(observer: Partial<Observer<T>>, thrown: (error: unknown) => void) {
		super();
		this.#observer = observer;
		this.#thrown = thrown;
	}

	protected override _next(value: T): void {
		this.#guarded(() => this.#observer.next?.(value));
	}

	protected override _error(error: unknown): void {
		this.unsubscribe();
		// A stream's error that nobody handles is reported, as an error that an observer throws.
		if (this.#observer.error === undefined) this.#thrown(error);
		else this.#guarded(() => this.#observer.error?.(error));
	}

	protected override _complete(): void {
		this.unsubscribe();
		this.#guarded(() => this.#observer.complete?.());
	}

	#guarded(call: () => void): void {
		try {
			call();
		} catch (error) {
			this.unsubscribe();
			this.#thrown(error);
		}
	}
}

/** A subject and the isolated stream that is shown of it. */
export class EventStream<T> {
	readonly #subject = new Subject<T>();
	readonly stream$: Observable<T>;

	constructor(thrown: (error: unknown) => void) {
		this.stream$ = new IsolatedObservable(this.#subject, thrown);
	}

	get observed(): boolean {
		return this.#subject.observed;
	}

	next(value: T): void {
		this.#subject.next(value);
	}

	complete(): void {
		this.#subject.complete();
	}
}
