import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.apache.kafka.server.config.AbstractKafkaConfig;

/** Prints each setting of a broker: whether it is deprecated by its documentation, its name, and what it takes. */
public class Keys {
    public static void main(String[] args) {
        for (ConfigDef.ConfigKey key : new TreeMap<>(AbstractKafkaConfig.CONFIG_DEF.configKeys()).values()) {
            boolean old = key.documentation != null && key.documentation.toLowerCase().startsWith("deprecated");
            System.out.println((old ? "deprecated" : "current") + " " + key.name + " " + key.type);
        }
        // The authorizer has settings of its own, which the broker does not define.
        System.out.println("current " + StandardAuthorizer.SUPER_USERS_CONFIG);
        System.out.println("current " + StandardAuthorizer.ALLOW_EVERYONE_IF_NO_ACL_IS_FOUND_CONFIG);
    }
}
