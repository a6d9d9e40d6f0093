/**
 * Death certificates (Demers et al., PODC 1987, §2): a deletion must spread like an update, or another replica brings the item
 * back. A certificate is active everywhere for a while, then dormant at a few retention sites; if an obsolete copy shows up
 * there, it awakes and spreads anew, and is not taken for a newer deletion, since its own version stays.
 */
import type { ChoicePort } from "../../core/index.ts";
import { requireIntegerField } from "../bounds.ts";

/** Orders the versions of one item: by number, then by who wrote it. */
export interface ItemVersion {
	readonly number: number;
	readonly by: string;
}

export interface CertificateLimits {
	/** Ticks for which a certificate is active. Default 10; bounds 1 to 1,000,000. Longer than an update needs to reach all. */
	readonly activeTicks: number;
	/** Further ticks for which it is kept at retention sites. Default 1,000; bounds 0 to 1,000,000,000. */
	readonly dormantTicks: number;
	/** Retention sites among `members`, on average. Default 4; bounds 1 to 1,000. */
	readonly retentionSites: number;
	/** Certificates that are kept; the oldest goes first. Default 65,536; bounds 1 to 16,777,216. */
	readonly certificatesMax: number;
}

interface Certificate {
	readonly version: ItemVersion;
	ticksLeft: number;
	isActive: boolean;
}

export class DeathCertificates {
	readonly #limits: CertificateLimits;
	readonly #choices: ChoicePort;
	readonly #certificates = new Map<string, Certificate>();

	/** @throws QuorateError `gossip-config-invalid` */
	constructor(choices: ChoicePort, limits: Partial<CertificateLimits> = {}) {
		this.#choices = choices;
		this.#limits = { activeTicks: 10, dormantTicks: 1_000, retentionSites: 4, certificatesMax: 65_536, ...limits };
		requireIntegerField("activeTicks", this.#limits.activeTicks, [1, 1_000_000]);
		requireIntegerField("dormantTicks", this.#limits.dormantTicks, [0, 1_000_000_000]);
		requireIntegerField("retentionSites", this.#limits.retentionSites, [1, 1_000]);
		requireIntegerField("certificatesMax", this.#limits.certificatesMax, [1, 16_777_216]);
	}

	get size(): number {
		return this.#certificates.size;
	}

	/** Takes a certificate that was made here or came from elsewhere. Whether it is news, to be spread. */
	bury(key: string, version: ItemVersion): boolean {
		const held = this.#certificates.get(key);
		if (held !== undefined && compareVersions(held.version, version) >= 0) return false;
		this.#certificates.delete(key);
		if (this.#certificates.size >= this.#limits.certificatesMax) this.#dropOldest();
		this.#certificates.set(key, { version, ticksLeft: this.#limits.activeTicks, isActive: true });
		return true;
	}

	/**
	 * Whether a copy of an item is obsolete. The certificate then has to be spread: the copy came from somebody who has not
	 * heard of it. A dormant one is active again.
	 */
	refuses(key: string, version: ItemVersion): ItemVersion | null {
		const held = this.#certificates.get(key);
		if (held === undefined || compareVersions(version, held.version) > 0) return null;
		if (!held.isActive) {
			held.isActive = true;
			held.ticksLeft = this.#limits.activeTicks;
		}
		return held.version;
	}

	/** Certificates that anti-entropy exchanges; dormant ones are kept to oneself. */
	active(): { readonly key: string; readonly version: ItemVersion }[] {
		return [...this.#certificates]
			.filter(([, { isActive }]) => isActive)
			.map(([key, { version }]) => ({ key, version }));
	}

	/** Time goes on. Among `members` sites, each draws whether it retains a certificate that ends to be active. */
	tick(members: number): void {
		const { dormantTicks, retentionSites } = this.#limits;
		for (const [key, certificate] of this.#certificates) {
			certificate.ticksLeft--;
			if (certificate.ticksLeft > 0) continue;
			const isRetained =
				certificate.isActive && dormantTicks > 0 && this.#choices.below(Math.max(1, members)) < retentionSites;
			if (!isRetained) this.#certificates.delete(key);
			certificate.isActive = false;
			certificate.ticksLeft = dormantTicks;
		}
	}

	#dropOldest(): void {
		for (const key of this.#certificates.keys()) {
			this.#certificates.delete(key);
			return;
		}
	}
}

function compareVersions(a: ItemVersion, b: ItemVersion): number {
	return a.number - b.number || (a.by < b.by ? -1 : a.by > b.by ? 1 : 0);
}
