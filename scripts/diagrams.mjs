// Draws the tables of states in the first comments of source files into docs/design.md: npm run diagrams. With --check it
// changes nothing and fails when the page does not show what the tables say, or a table not what the type says.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const page = join(root, 'docs/design.md')
/** In the page, a diagram stands between two such comments. */
const PLACE = /<!-- states: (\S+) (\S+) -->\n[^]*?<!-- end of states -->/g
const ROW = /^\/\/ {3}(\S+) +(\S.*?) +(\S+)$/

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(`diagrams: ${message}`)
  process.exit(1)
}

/**
 * The rows of the first table in a file, and the states of the type that it is about.
 * @param {string} file @param {string} type
 */
function readTable(file, type) {
  const source = readFileSync(join(root, file), 'utf8')
  const lines = source.split('\n')
  const begin = lines.findIndex(line => /^\/\/ {3}state +what happens +next$/.test(line))
  if (begin === -1) return fail(`${file} has no table of states`)
  const rows = []
  for (let at = begin + 2; ; at++) {
    const row = ROW.exec(lines[at])
    if (row === null) break
    rows.push({ state: row[1], event: row[2], next: row[3] })
  }
  const union = new RegExp(`^type ${type} = (.*)$`, 'm').exec(source)?.[1]
  if (union === undefined) return fail(`${file} has no type ${type}`)
  const states = Array.from(union.matchAll(/'([^']+)'/g), match => match[1])
  const named = new Set(rows.flatMap(({ state, next }) => [state, next]))
  named.delete('any')
  named.delete('-')
  const differing = [
    ...states.filter(state => !named.has(state)),
    ...[...named].filter(s => !states.includes(s)),
  ]
  if (differing.length > 0) fail(`${file}: table and type ${type} differ in: ${differing.join(', ')}`)
  return { rows, states }
}

/** @param {string} file @param {string} type */
function draw(file, type) {
  const { rows, states } = readTable(file, type)
  const arrows = rows.flatMap(({ state, event, next }) => {
    const from = state === 'any' ? states.filter(other => other !== next) : [state]
    return from.map(each => `  ${id(each)} --> ${id(next)}: ${event.replaceAll(';', ',')}`)
  })
  const ends = states.filter(state => !rows.some(row => row.state === state))
  return [
    `<!-- states: ${file} ${type} -->`,
    '```mermaid',
    'stateDiagram-v2',
    ...arrows,
    ...ends.map(state => `  ${id(state)} --> [*]`),
    '```',
    '',
    '| state | what happens | next |',
    '|---|---|---|',
    ...rows.map(({ state, event, next }) => `| ${state} | ${event} | ${next} |`),
    '<!-- end of states -->',
  ].join('\n')
}

/** As Mermaid wants it: no hyphen in a name, and a name of its own for the start. @param {string} state */
function id(state) {
  return state === '-' ? '[*]' : state.replaceAll('-', '_')
}

const text = readFileSync(page, 'utf8')
const drawn = text.replace(PLACE, (_place, file, type) => draw(file, type))
if (!PLACE.test(text)) fail('docs/design.md has no place for a diagram')
if (!process.argv.includes('--check')) writeFileSync(page, drawn)
else if (drawn !== text) fail('docs/design.md does not show the tables of states; npm run diagrams')
