// The page that the comparison becomes. It measures nothing.

/** @typedef {import('./tools.mjs').Tool} Tool */
/** @typedef {import('./tools.mjs').Outcome} Outcome */
/** @typedef {import('./nginx.mjs').Seen} Seen */
/** @typedef {import('./content.mjs').Found} Found */

/**
 * Everything was fetched.
 * @typedef {Outcome & { seen: Seen, found: Found }} Whole
 */

/**
 * The server was lost in the middle, and the tool called again.
 * @typedef {object} Broken
 * @property {Outcome} first
 * @property {Found} before what was there between the two calls
 * @property {Outcome} second
 * @property {Seen} seen in the second call
 * @property {Found} after
 */

/**
 * @typedef {object} Results
 * @property {number} files
 * @property {number} bytes
 * @property {number} rounds
 * @property {Record<string, string | null>} versions
 * @property {string} node
 * @property {number} cores
 * @property {Map<Tool, Whole[]>} onDisk
 * @property {Map<Tool, Whole[]> | null} inMemory
 * @property {Map<Tool, Broken>} broken
 */

const FETCHED = [
  'tool',
  'settings',
  'wall',
  'CPU',
  'connections',
  'requests',
  'right',
  'wrong',
  'exit status',
]
const BROKEN = [
  ...['tool', 'settings', 'right', 'wrong', 'other', 'exit status'],
  ...['again: requests', 'MB', 'exit status', 'then: right', 'wrong', 'other'],
]

/** @param {(string | number)[]} cells */
const line = cells => `| ${cells.join(' | ')} |`

/** @param {string[]} columns @param {(string | number)[][]} rows */
const table = (columns, rows) => [columns, columns.map(() => '---'), ...rows].map(line).join('\n')

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)]
}

/** @param {number} ms */
const seconds = ms => `${(ms / 1000).toFixed(1)} s`

/** @param {number} count */
const number = count => count.toLocaleString('en-US')

/** @param {number | null} status */
const exit = status => status ?? '**did not end**'

/** @param {Tool} tool */
const settingsOf = ({ settings, isDefault }) => (isDefault ? 'by default' : `\`${settings}\``)

/** @param {Found} found */
const wrongOf = ({ wrong, marked }) =>
  marked > 0 ? `${number(wrong)} (${number(marked)} marked)` : number(wrong)

/** @param {Tool} tool @param {Whole[]} runs */
function rowOf(tool, runs) {
  return [
    tool.name,
    settingsOf(tool),
    seconds(median(runs.map(({ wallMs }) => wallMs))),
    seconds(median(runs.map(({ cpuMs }) => cpuMs))),
    number(median(runs.map(({ seen }) => seen.connections))),
    number(median(runs.map(({ seen }) => seen.requests))),
    number(Math.min(...runs.map(({ found }) => found.whole))),
    number(Math.max(...runs.map(({ found: { wrong, others } }) => wrong + others))),
    exit(runs[0].status),
  ]
}

/** @param {Tool} tool @param {Broken} broken */
function brokenRowOf(tool, { first, before, second, seen, after }) {
  return [
    tool.name,
    settingsOf(tool),
    number(before.whole),
    wrongOf(before),
    number(before.others),
    exit(first.status),
    number(seen.requests),
    (seen.bytes / 1e6).toFixed(0),
    exit(second.status),
    number(after.whole),
    wrongOf(after),
    number(after.others),
  ]
}

/** @param {Map<Tool, Whole[]>} runs */
const fetched = runs =>
  table(
    FETCHED,
    Array.from(runs, ([tool, each]) => rowOf(tool, each)),
  )

/** @param {Results} results */
export function formatPage({ files, bytes, rounds, versions, node, cores, onDisk, inMemory, broken }) {
  const all = Object.entries(versions)
  const installed = all.flatMap(([name, version]) => (version === null ? [] : `${name} ${version}`))
  const missing = all.flatMap(([name, version]) => (version === null ? name : []))
  return `# Fetching many small files, beside other tools

Made by \`npm run compare:get\`, which fetches ${number(files)} files of 1 to 100 kB, ${number(Math.round(bytes / 1e6))} MB in all and the same on every machine, from
nginx over loopback, by each tool in turn, and compares every file with what was served. It needs Debian's packages nginx, curl and aria2, and leaves out a
tool that is not there. Here: ${installed.join(', ')}${missing.length === 0 ? '' : `; not installed: ${missing.join(', ')}`}; Node ${node}, ${cores} cores, server and tool on one machine.
\`npm run compare:get -- --short\` does it with 300 files, and prints this page instead of writing it.

## How they were called

| tool | to fetch | to go on |
| --- | --- | --- |
| httpio get | \`httpio get --flat --output-dir out 'http://…/{00001..10000}'\` | the same with \`--resume\` |
| curl | \`curl --fail --parallel --remote-name-all --output-dir out 'http://…/[00001-10000]'\` | the same with \`--continue-at -\` |
| aria2c | \`aria2c --dir out --input-file list\` | the same with \`--continue=true\` |

and with the settings in the tables. By default \`httpio get\` has 4 connections with 16 requests on the wire of each, curl 50 and aria2c 5 connections, both
without pipelining. nginx is as it comes: it closes each connection after 1,000 requests.

## All files

The median of ${rounds} rounds. *Wall* is the time from the call to its end; *CPU* the user and system time of the tool alone; *connections* and *requests* are those in
nginx's log. *Right* files are those that are there under their names, byte for byte; *wrong* are all other files that are there.

${fetched(onDisk)}

\`httpio get\` waits for each file until the disk has it (\`fsync\`) before the file gets its name, so that a power failure leaves no empty or half one behind; the
others leave that to the system. What this costs depends on the disk.${
    inMemory === null
      ? ''
      : ` Into a folder in memory, where it costs nothing:

${fetched(inMemory)}`
  }

## The server is lost in the middle

When nginx has answered half of the requests, its processes are killed (SIGKILL); the tool runs to its end and finds nobody. Then nginx is started
again, and the tool is called once more. nginx has small send buffers here (\`sndbuf=4k\`), so that bodies are on their way when it goes, as over a network.

The first three figures are of what is there between the two calls: files that are *right*, files that are *wrong* under their names, and *other* files, which are
temporary ones and notes. *Marked* are those wrong files beside which another one says that they are not whole. Then come the requests and megabytes of bodies
that nginx answers and sends in the second call, and what is there in the end.

${table(
  BROKEN,
  Array.from(broken, ([tool, each]) => brokenRowOf(tool, each)),
)}

## What to make of it

- curl is a small program that starts at once and asks less of the processor: the figures in memory show it, without the syncing. For a handful of files, or
  where there is no Node, it is the better choice. It also follows redirects, and speaks HTTP/2 and much else.
- A few connections are enough: with requests waiting on the wire, the server is never idle for a round trip. On loopback a round trip costs nothing, so what is to
  be seen here is that few connections do as well; over a network they save the time, too.
- A file that \`httpio get\` has named is whole. curl and aria2c write under the final name from the first byte. aria2c says so by a file beside it, curl by its exit
  status alone. With \`--remove-on-error\` curl takes such files away; but going on, it takes the whole ones away as well, since to be told that nothing is
  left to send (416) is an error to it.
- Going on, \`httpio get --resume\` asks for nothing that is there, and for the rest of a part only if the server still has the same version (\`If-Range\`).
  It keeps parts of bodies above 1 MB; smaller ones, as here, are fetched anew. curl asks for every file, and ends with status 22 although all is well; it
  appends to a part without looking whether the file is still the same. aria2c asks for every file, too, and most of the bytes have been sent by the time it finds that
  all of them are there.
`
}
