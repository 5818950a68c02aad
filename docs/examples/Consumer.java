import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Takes all row changes of a Sluice instance from queues of its own, each exactly once, into a journal: a file of one line of JSON a message, which holds the
 * changes and the place they came up to, so that both are there or neither is.  With a database, put both into one transaction instead.
 *
 * <p>javac -cp amqp-client.jar:gson.jar Consumer.java; java -cp amqp-client.jar:gson.jar:slf4j-api.jar:. Consumer URL INSTANCE PARTITIONS NAME JOURNAL
 *
 * <p>docs/consumers.md explains each rule by its number.
 */
public final class Consumer {
  private static final int FORMAT = 1;
  private static final int PREFETCH = 8;
  private static final long LOOK_AGAIN_MS = 1000;
  private static final long GAP_PATIENCE_MS = 30_000;
  private static final int EXIT_GAP = 3;
  private static final int EXIT_FAILED = 1;

  /** {@code epoch.file.pos.event.row.half}, compared number by number. */
  static final class EventId implements Comparable<EventId> {
    private final long[] parts;

    EventId(String text) {
      parts = Arrays.stream(text.split("\\.")).mapToLong(Long::parseLong).toArray();
      if (parts.length != 6) throw new IllegalArgumentException("no EventId: " + text);
    }

    @Override
    public int compareTo(EventId other) {
      return Arrays.compare(parts, other.parts);
    }

    @Override
    public String toString() {
      StringBuilder out = new StringBuilder();
      for (long part : parts) out.append(out.length() == 0 ? "" : ".").append(part);
      return out.toString();
    }
  }

  /** What was applied.  Thread-safe: each queue has a thread of its own. */
  static final class Journal {
    private final RandomAccessFile file;
    private final Map<String, EventId> applied = new HashMap<>();

    Journal(String path) throws IOException {
      file = new RandomAccessFile(path, "rw");
      long whole = 0;
      try (BufferedReader in = new BufferedReader(new InputStreamReader(new FileInputStream(path), StandardCharsets.UTF_8))) {
        for (String line; (line = in.readLine()) != null; ) {
          long end = whole + line.getBytes(StandardCharsets.UTF_8).length + 1;
          if (end > file.length()) break; // cut short by a crash: its message was not acknowledged, and comes again
          JsonObject message = JsonParser.parseString(line).getAsJsonObject();
          applied.put(message.get("queue").getAsString(), new EventId(message.get("applied").getAsString()));
          whole = end;
        }
      }
      file.setLength(whole);
      file.seek(whole);
    }

    synchronized EventId applied(String queue) {
      return applied.get(queue);
    }

    synchronized void apply(String queue, EventId last, List<JsonObject> changes) throws IOException {
      JsonObject message = new JsonObject();
      message.addProperty("queue", queue);
      message.addProperty("applied", last.toString());
      JsonArray list = new JsonArray();
      changes.forEach(list::add);
      message.add("changes", list);
      file.write((message + "\n").getBytes(StandardCharsets.UTF_8));
      file.getChannel().force(false);
      applied.put(queue, last);
    }
  }

  /** One queue, one channel. */
  final class Partition {
    private final String source;
    private final String queue;
    private volatile long gapSince; // 0: there is none

    Partition(int number) {
      String suffix = ".p" + partitions + "." + number;
      source = "sluice." + instance + suffix;
      queue = name + suffix;
    }

    void declare(Channel channel) throws IOException {
      channel.queueDeclare(queue, true, false, false, queueArguments);
      channel.queueBind(queue, "sluice." + instance, source);
    }

    void open() {
      try {
        Channel channel = connection.createChannel();
        declare(channel); // anew, should it have been deleted: rule 3 tells whether something is missing
        channel.basicQos(PREFETCH);
        channel.basicConsume(queue, false, new Taker(channel));
      } catch (IOException | ShutdownSignalException why) {
        System.err.println(queue + ": trying again: " + why);
        later(); // unless the connection is gone: then the process ends
      }
    }

    void later() {
      timer.schedule(this::open, LOOK_AGAIN_MS, TimeUnit.MILLISECONDS);
    }

    /** The library calls it on one thread at a time. */
    private final class Taker extends DefaultConsumer {
      private volatile boolean closed; // what still comes, comes again behind the next open()
      private final AtomicBoolean left = new AtomicBoolean();

      Taker(Channel channel) {
        super(channel);
      }

      @Override
      public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) throws IOException {
        if (closed) return;
        try {
          Map<String, Object> headers = properties.getHeaders();
          long version = ((Number) headers.get("v")).longValue();
          if (version > FORMAT) throw new IllegalStateException("message format " + version + ", this program knows " + FORMAT + ": update it");
          EventId prev = new EventId(headers.get("prev").toString());
          EventId last = new EventId(headers.get("last").toString());
          EventId kept = journal.applied(queue);
          EventId applied = kept != null ? kept : prev; // the first message ever: the queue begins here
          if (prev.compareTo(applied) > 0) { // rule 3
            onGap(prev, applied);
            return;
          }
          gapSince = 0;
          // Else a repeat, rule 1, or ticks alone, which are not used here (rule 5).  The first message's place is kept in any case: without it a loss behind
          // it would not be seen.
          if (kept == null || last.compareTo(applied) > 0) journal.apply(queue, last, read(properties, body, applied));
          getChannel().basicAck(envelope.getDeliveryTag(), false); // one message: never `multiple`
        } catch (ShutdownSignalException gone) {
          closed = true; // not acknowledged: it comes again
        } catch (IOException | RuntimeException why) {
          stop(queue + ": " + why, EXIT_FAILED);
        }
      }

      /** Never basicCancel, basicNack or basicReject: closing is what gives messages back in their order (rule 4). */
      private void onGap(EventId prev, EventId applied) {
        long now = System.currentTimeMillis();
        if (gapSince == 0) gapSince = now;
        if (now - gapSince > GAP_PATIENCE_MS) {
          stop(queue + ": a message follows " + prev + ", but " + applied + " is the last that came", EXIT_GAP);
          return;
        }
        close();
      }

      private void close() {
        closed = true;
        timer.execute(
            () -> {
              try {
                getChannel().close();
              } catch (Exception alreadyClosed) {
                // handleShutdownSignal has been told
              }
            });
      }

      /** By the broker, which leaves the channel open: the queue was deleted, or its acknowledgement timeout (4.3). */
      @Override
      public void handleCancel(String tag) {
        System.err.println(queue + ": the broker cancelled the consumer, consuming anew");
        close();
        leave(); // the library has forgotten this consumer: handleShutdownSignal does not come
      }

      /** Of this channel alone, or with its connection. */
      @Override
      public void handleShutdownSignal(String tag, ShutdownSignalException why) {
        closed = true;
        leave();
      }

      private void leave() {
        if (left.compareAndSet(false, true) && !stopping) later();
      }
    }
  }

  /** The rows of a message above {@code applied}. */
  private static List<JsonObject> read(AMQP.BasicProperties properties, byte[] body, EventId applied) {
    if (properties.getContentEncoding() != null)
      throw new IllegalStateException("content_encoding " + properties.getContentEncoding() + ": inflate it with zstd-jni");
    List<JsonObject> changes = new ArrayList<>();
    for (String text : new String(body, StandardCharsets.UTF_8).split("\n")) {
      JsonObject line = JsonParser.parseString(text).getAsJsonObject();
      if (line.get("type").getAsString().equals("TICK")) continue; // rule 5
      String[] seq = line.get("seq").getAsString().split("\\.");
      for (int at = 0; at < line.getAsJsonArray("rows").size(); ++at) {
        String id = String.join(".", seq[0], seq[1], seq[2], seq[3], line.getAsJsonArray("rows").get(at).getAsString(), seq[4]);
        if (new EventId(id).compareTo(applied) <= 0) continue; // rule 2: a part of the message was applied before
        JsonObject change = new JsonObject();
        change.addProperty("id", id);
        for (String member : new String[] {"type", "database", "table", "pkNames"}) change.add(member, line.get(member));
        change.add("data", line.getAsJsonArray("data").get(at));
        JsonElement old = line.get("old");
        change.add("old", old.isJsonNull() ? JsonNull.INSTANCE : old.getAsJsonArray().get(at));
        if (line.has("nulled")) change.add("nulled", line.get("nulled"));
        changes.add(change);
      }
    }
    return changes;
  }

  private final String instance;
  private final int partitions;
  private final String name;
  private final Journal journal;
  private final Connection connection;
  private final Map<String, Object> queueArguments = new HashMap<>();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private volatile boolean stopping;

  private Consumer(String url, String instance, int partitions, String name, String journal) throws Exception {
    this.instance = instance;
    this.partitions = partitions;
    this.name = name;
    this.journal = new Journal(journal);
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(url);
    factory.setAutomaticRecoveryEnabled(false); // it would bring consumers back on channels that we have given up
    this.connection = factory.newConnection("sluice consumer " + name);
    connection.addShutdownListener(why -> stop("the broker is gone: " + why.getMessage(), EXIT_FAILED));
  }

  private void run() throws Exception {
    queueArguments.put("x-queue-type", "quorum");
    queueArguments.put("x-single-active-consumer", true);
    // From 4.0 a quorum queue drops what was delivered 20 times unless told not to; 3.x must not be told so.
    String version = connection.getServerProperties().get("version").toString();
    if (Integer.parseInt(version.substring(0, version.indexOf('.'))) >= 4) queueArguments.put("x-delivery-limit", -1);
    List<Partition> all = new ArrayList<>();
    try (Channel channel = connection.createChannel()) {
      channel.exchangeDeclarePassive("sluice." + instance);
      for (int n = 0; n < partitions; ++n) {
        all.add(new Partition(n));
        all.get(n).declare(channel);
      }
    }
    all.forEach(Partition::open);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stopping = true));
    System.err.println("consuming");
  }

  /** A supervisor (systemd: Restart=on-failure) starts it again; it goes on where the journal ends. */
  private void stop(String why, int code) {
    if (stopping) return;
    stopping = true;
    System.err.println(why);
    Runtime.getRuntime().halt(code);
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 5) {
      System.err.println("usage: Consumer URL INSTANCE PARTITIONS NAME JOURNAL");
      System.exit(2);
    }
    new Consumer(args[0], args[1], Integer.parseInt(args[2]), args[3], args[4]).run();
  }
}
