// MQTT.js, asked the same as in steps.py: `node mqttjs_peer.js VERSION PORT [ca=FILE] [path=/mqtt]`
const fs = require('fs')
const mqtt = require('mqtt')

const [version, port, ...rest] = process.argv.slice(2)
const options = Object.fromEntries(rest.map((item) => item.split(/=(.*)/s).slice(0, 2)))
const scheme = options.path ? (options.ca ? 'wss' : 'ws') : options.ca ? 'mqtts' : 'mqtt'
const address = `${scheme}://${options.ca ? 'localhost' : '127.0.0.1'}:${port}${options.path || ''}`
const patience = 30000

function connect (name, will) {
  return new Promise((resolve, reject) => {
    const client = mqtt.connect(address, {
      clientId: `${name}-${version}`, protocolVersion: Number(version) === 5 ? 5 : 4, reconnectPeriod: 0,
      ca: options.ca && fs.readFileSync(options.ca), will
    })
    const received = []
    const waiting = []
    client.on('message', (topic, payload, packet) => {
      const message = { topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain }
      waiting.length ? waiting.shift()(message) : received.push(message)
    })
    client.receive = () => received.length ? Promise.resolve(received.shift()) : new Promise((done) => waiting.push(done))
    client.sub = (filter, qos) => new Promise((done, fail) =>
      client.subscribe(filter, { qos }, (error, granted) =>
        error || granted[0].qos > 2 ? fail(error || new Error('refused')) : done()))
    client.pub = (topic, payload, qos, retain) => new Promise((done, fail) =>
      client.publish(topic, payload, { qos, retain: !!retain }, (error) => error ? fail(error) : done()))
    client.quit = () => new Promise((done) => client.end(false, {}, done))
    client.on('connect', () => resolve(client))
    client.on('error', reject)
  })
}

function same (got, wanted) {
  for (const key of Object.keys(wanted)) {
    if (got[key] !== wanted[key]) throw new Error(`${key}: ${JSON.stringify(got)}`)
  }
}

const steps = {}
for (const qos of [0, 1, 2]) {
  steps[`QoS ${qos}`] = async () => {
    const client = await connect(`q${qos}`)
    await client.sub(`q/${qos}`, qos)
    await client.pub(`q/${qos}`, 'payload', qos)
    same(await client.receive(), { topic: `q/${qos}`, payload: 'payload', qos, retain: false })
    await client.quit()
  }
}
steps.retained = async () => {
  const first = await connect('first')
  await first.pub('kept', 'value', 1, true)
  const second = await connect('second')
  await second.sub('kept', 1)
  same(await second.receive(), { topic: 'kept', payload: 'value', retain: true })
  await first.pub('kept', '', 1, true)
  await first.quit()
  await second.quit()
}
steps.will = async () => {
  const watcher = await connect('watcher')
  await watcher.sub('last/words', 1)
  const mortal = await connect('mortal', { topic: 'last/words', payload: 'gone', qos: 1, retain: false })
  mortal.stream.destroy()
  same(await watcher.receive(), { topic: 'last/words', payload: 'gone' })
  await watcher.quit()
}
steps.shared = async () => {
  const members = [await connect('member0'), await connect('member1')]
  for (const member of members) await member.sub('$share/group/work', 1)
  const boss = await connect('boss')
  for (const number of [0, 1, 2, 3]) await boss.pub('work', String(number), 1)
  const got = []
  for (const member of members) for (const _ of [0, 1]) got.push((await member.receive()).payload)
  if (got.sort().join() !== '0,1,2,3') throw new Error(got.join())
  for (const client of [...members, boss]) await client.quit()
}

async function run () {
  const outcome = {}
  for (const [name, step] of Object.entries(steps)) {
    const late = new Promise((resolve, reject) => setTimeout(() => reject(new Error('late')), patience).unref())
    try {
      await Promise.race([step(), late])
      outcome[name] = 'yes'
    } catch (error) {
      outcome[name] = String(error)
    }
  }
  console.log(JSON.stringify(outcome))
  process.exit(0)
}

run()
