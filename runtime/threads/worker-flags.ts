/**
 * What a worker's options say of Node's own flags: nothing, so that it has those of the process; or none at all, where the process was given
 * its program as text (`node --input-type=module -e …`). A worker runs a file, where Node refuses that flag; and flags that a worker
 * may only inherit can not be listed one by one.
 */
export function workerFlags(flags: readonly string[] = process.execArgv): { readonly execArgv?: string[] } {
	return flags.some((flag) => flag.startsWith("--input-type")) ? { execArgv: [] } : {};
}
