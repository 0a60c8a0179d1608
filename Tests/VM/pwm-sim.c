// SPDX-License-Identifier: GPL-2.0
// A PWM chip of two channels that has nothing but what was set: Debian's kernel has the interface, and no simulated chip for it.
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>

static struct platform_device *device;

static int pwm_sim_apply(struct pwm_chip *chip, struct pwm_device *pwm, const struct pwm_state *state)
{
	return 0;
}

static const struct pwm_ops pwm_sim_ops = {
	.apply = pwm_sim_apply,
	.owner = THIS_MODULE,
};

static int pwm_sim_probe(struct platform_device *device)
{
	struct pwm_chip *chip = devm_kzalloc(&device->dev, sizeof(*chip), GFP_KERNEL);

	if (!chip)
		return -ENOMEM;
	chip->dev = &device->dev;
	chip->ops = &pwm_sim_ops;
	chip->npwm = 2;
	return devm_pwmchip_add(&device->dev, chip);
}

static struct platform_driver pwm_sim_driver = {
	.driver = { .name = "pwm-sim" },
	.probe = pwm_sim_probe,
};

static int __init pwm_sim_init(void)
{
	int error = platform_driver_register(&pwm_sim_driver);

	if (error)
		return error;
	device = platform_device_register_simple("pwm-sim", -1, NULL, 0);
	if (IS_ERR(device)) {
		platform_driver_unregister(&pwm_sim_driver);
		return PTR_ERR(device);
	}
	return 0;
}

static void __exit pwm_sim_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&pwm_sim_driver);
}

module_init(pwm_sim_init);
module_exit(pwm_sim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A simulated PWM chip");
