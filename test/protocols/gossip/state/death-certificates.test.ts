/** Goal: what was deleted stays deleted, at bounded cost (Demers et al. 1987, §2; GOS-7). Method: stories of one store. */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import { DeathCertificates } from "../../../../protocols/gossip/index.ts";

const always = { below: () => 0 };
const never = { below: (bound: number) => bound - 1 };
const version = (number: number, by = "a") => ({ number, by });

describe("death certificates", () => {
	it("refuse the versions up to their own, and no later one", () => {
		const store = new DeathCertificates(never);
		expect(store.bury("k", version(5))).toBe(true);
		expect(store.bury("k", version(5))).toBe(false);
		expect(store.bury("k", version(4, "z"))).toBe(false);
		expect(store.refuses("k", version(5))).toEqual(version(5));
		expect(store.refuses("k", version(5, "b"))).toBeNull();
		expect(store.refuses("k", version(6))).toBeNull();
		expect(store.refuses("other", version(1))).toBeNull();
	});

	it("are active for a while, then kept at retention sites alone", () => {
		const [site, other] = [
			new DeathCertificates(always, { activeTicks: 2 }),
			new DeathCertificates(never, { activeTicks: 2 }),
		];
		for (const store of [site, other]) {
			store.bury("k", version(1));
			store.tick(100);
			expect(store.active().length).toBe(1);
			store.tick(100);
			expect(store.active()).toEqual([]);
		}
		expect([site.size, other.size]).toEqual([1, 0]);
	});

	it("awake when an obsolete copy shows up, with their own version", () => {
		const store = new DeathCertificates(always, { activeTicks: 1 });
		store.bury("k", version(3));
		store.tick(100);
		expect(store.active()).toEqual([]);
		expect(store.refuses("k", version(2))).toEqual(version(3));
		expect(store.active()).toEqual([{ key: "k", version: version(3) }]);
	});

	it("end, and are bounded in number", () => {
		const store = new DeathCertificates(always, { activeTicks: 1, dormantTicks: 3, certificatesMax: 2 });
		for (const key of ["x", "y", "z"]) store.bury(key, version(1));
		expect(store.active().map(({ key }) => key)).toEqual(["y", "z"]);
		for (let i = 0; i < 4; i++) store.tick(100);
		expect(store.size).toBe(0);
	});

	it("about `retentionSites` of all members keep one", () => {
		const dice = new Generator(1, "sites");
		const stores = Array.from(
			{ length: 1_000 },
			() => new DeathCertificates(dice, { activeTicks: 1, retentionSites: 20 }),
		);
		for (const store of stores) {
			store.bury("k", version(1));
			store.tick(1_000);
		}
		// Binomial with mean 20 and standard deviation 4.4.
		const kept = stores.filter(({ size }) => size > 0).length;
		expect(Math.abs(kept - 20)).toBeLessThan(4 * 4.5);
	});
});
