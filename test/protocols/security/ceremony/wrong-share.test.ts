/**
 * Goal: a dealt share is checked against its dealer's polynomial, not only opened (SEC-2, SEC-34). Method: a dealer seals another number than
 * its share, well, under the right keys and context; its receiver complains, the dealer shows the right share, and the key is sound.
 */
import { expect, it } from "vitest";
import { shareContext } from "../../../../protocols/security/ceremony/messages.ts";
import { ciphersuite } from "../../../../protocols/security/index.ts";
import { type Bend, CeremonyWorld, channelOf, names } from "./world.ts";

it("a share that opens well and is off the polynomial is complained of, and replaced by the one that is shown", () => {
	const members = names(4);
	const [, receiver, , dealer] = members as [
		(typeof members)[0],
		(typeof members)[0],
		(typeof members)[0],
		(typeof members)[0],
	];
	const { encodeScalar } = ciphersuite("ristretto255");
	let world: CeremonyWorld | null = null;
	const accused: unknown[] = [];
	const bend: Bend = (sent) => {
		const { from, to, message } = sent;
		if (
			message.type === "post" &&
			message.body.type === "complaints" &&
			message.author === receiver &&
			from === receiver
		) {
			accused.push(message.body.accused);
		}
		if (from !== dealer || to !== receiver || message.type !== "sealed-share") return sent;
		const recipientKey = channelOf(`seed${receiver}`).publicKey;
		const context = shareContext(world!.ceremony, dealer, receiver);
		return {
			...sent,
			message: { ...message, sealed: channelOf(`seed${dealer}`).seal(recipientKey, context, encodeScalar(5n))! },
		};
	};
	world = new CeremonyWorld({ config: { members, threshold: 2 }, bend });
	world.run();
	expect(accused.length).toBeGreaterThan(0);
	for (const list of accused) expect(list).toEqual([dealer]);
	for (const node of members) {
		expect(world.end(node).type).toBe("ceremony-completed");
		expect(world.faults(node)).toEqual([]);
	}
});
