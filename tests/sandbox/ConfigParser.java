import java.io.ByteArrayInputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Properties;
import java.util.Scanner;
import java.util.TreeSet;
import kafka.server.KafkaConfig;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Reads server.properties files from standard input, one a line in base64, and answers each with a
 * line: "ok", or what Kafka says of it. With the argument "echo" the answer is what
 * Properties.load made of the file: its keys and values in base64.
 */
public class ConfigParser {
    public static void main(String[] arguments) throws Exception {
        boolean echo = arguments.length > 0 && arguments[0].equals("echo");
        Scanner lines = new Scanner(System.in, StandardCharsets.US_ASCII);
        while (lines.hasNextLine()) {
            Properties properties = new Properties();
            byte[] file = Base64.getDecoder().decode(lines.nextLine());
            properties.load(new ByteArrayInputStream(file));
            System.out.println(echo ? pairs(properties) : judge(properties));
        }
    }

    private static String judge(Properties properties) {
        try {
            KafkaConfig config = KafkaConfig.fromProps(properties, false);
            judgeTopicDefaults(config);
            return "ok";
        } catch (InvocationTargetException refusal) {
            return refusal.getCause().toString().replace('\n', ' ');
        } catch (Exception refusal) {
            return refusal.toString().replace('\n', ' ');
        }
    }

    /** What the log manager checks when it starts. Forks of Kafka give the method more arguments. */
    private static void judgeTopicDefaults(KafkaConfig config) throws Exception {
        boolean tiered = config.remoteLogManagerConfig().isRemoteStorageSystemEnabled();
        for (Method method : LogConfig.class.getMethods()) {
            if (method.getName().equals("validateBrokerLogConfigValues")) {
                Object[] values = new Object[method.getParameterCount()];
                Arrays.fill(values, tiered);
                values[0] = config.extractLogConfigMap();
                method.invoke(null, values);
            }
        }
    }

    private static String pairs(Properties properties) {
        StringBuilder line = new StringBuilder();
        for (String key : new TreeSet<>(properties.stringPropertyNames())) {
            line.append(base64(key)).append(':').append(base64(properties.getProperty(key))).append(' ');
        }
        return line.toString().trim();
    }

    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }
}
