(* Mulayoff, Michaeli and Soudry 2021, Lemma 1: linear stability of SGD and of gradient descent against 2/eta.

   Vectors are functions on the coordinates that a list names, so any dimension; matrices are functions of two
   coordinates. That lambda_max(H) <= c is written as u^T H u <= c u^T u for all u (Rayleigh and Ritz). No spectral
   theorem is used: a symmetric matrix with too large a quotient at q makes q^T (I - eta H)^t q grow along t = 2^k. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums.
Import ListNotations.
Open Scope R_scope.

Section Iterations.
  Context {A : Type}.
  Variable coordinates : list A.

  Definition dot (u v : A -> R) : R := sum (fun p => u p * v p) coordinates.
  Definition norm (v : A -> R) : R := sqrt (dot v v).
  Definition apply (H : A -> A -> R) (v : A -> R) : A -> R := fun p => sum (fun q => H p q * v q) coordinates.
  Definition quadratic (H : A -> A -> R) (u : A -> R) : R := dot u (apply H u).

  Definition symmetric (H : A -> A -> R) : Prop :=
    forall p q, In p coordinates -> In q coordinates -> H p q = H q p.
  Definition positive_semidefinite (H : A -> A -> R) : Prop := forall u, 0 <= quadratic H u.
  Definition lambda_max_at_most (c : R) (H : A -> A -> R) : Prop := forall u, quadratic H u <= c * dot u u.

  (* A batch, by the gradient and the Hessian of its loss at the minimum, and one step of the linearised SGD (eq 6) from
     theta* + v to theta* + v - eta (gradient + H v). *)
  Record batch := Batch { batch_gradient : A -> R; batch_hessian : A -> A -> R }.
  Definition step (eta : R) (b : batch) (v : A -> R) : A -> R :=
    fun p => v p - eta * (batch_gradient b p + apply (batch_hessian b) v p).

  (* E F(v_t) from v_0 = v, where every step draws its batch uniformly and independently from a list. *)
  Fixpoint expectation (eta : R) (batches : list batch) (t : nat) (F : (A -> R) -> R) (v : A -> R) : R :=
    match t with
    | O => F v
    | S t => mean (fun b => expectation eta batches t F (step eta b v)) batches
    end.

  (* Definition 1: from every start within eps, limsup_t E ||v_t|| <= eps. *)
  Definition linearly_stable (eps eta : R) (batches : list batch) : Prop :=
    forall v, norm v <= eps ->
    forall delta, 0 < delta -> exists T, forall t, (T <= t)%nat -> expectation eta batches t norm v <= eps + delta.

  (* The full Hessian and gradient are the means over the batches; at a minimum the gradient is 0. *)
  Definition mean_hessian (batches : list batch) : A -> A -> R :=
    fun p q => mean (fun b => batch_hessian b p q) batches.
  Definition stationary (batches : list batch) : Prop :=
    forall p, In p coordinates -> mean (fun b => batch_gradient b p) batches = 0.

  (* Gradient descent with a fixed Hessian, without a gradient. *)
  Definition descent_step (eta : R) (H : A -> A -> R) (v : A -> R) : A -> R := fun p => v p - eta * apply H v p.
  Fixpoint descend (eta : R) (H : A -> A -> R) (t : nat) (v : A -> R) : A -> R :=
    match t with
    | O => v
    | S t => descend eta H t (descent_step eta H v)
    end.

  (* Products and norms. *)

  Lemma dot_comm u v : dot u v = dot v u.
  Proof. apply sum_eq. intros. ring. Qed.

  Lemma dot_pos u : 0 <= dot u u.
  Proof. apply sum_sq_nonneg. Qed.

  Lemma norm_pos u : 0 <= norm u.
  Proof. apply sqrt_pos. Qed.

  Lemma norm_sq u : norm u * norm u = dot u u.
  Proof. apply sqrt_sqrt, dot_pos. Qed.

  Lemma dot_norm u v : Rabs (dot u v) <= norm u * norm v.
  Proof. apply cauchy_schwarz_sqrt. Qed.

  Lemma dot_scal c u v : dot u (fun p => c * v p) = c * dot u v.
  Proof. unfold dot. rewrite <- sum_scal. apply sum_eq. intros. ring. Qed.

  Lemma apply_symmetric H u v : symmetric H -> dot u (apply H v) = dot (apply H u) v.
  Proof.
    intros sym. unfold dot, apply.
    rewrite (sum_eq _ (fun p => sum (fun q => u p * (H p q * v q)) coordinates)) by (intros; now rewrite sum_scal).
    rewrite sum_swap. apply sum_eq. intros q Hq. rewrite <- sum_scal_r. apply sum_eq. intros p Hp.
    rewrite (sym q p Hq Hp). ring.
  Qed.

  Lemma dot_descent_step eta H u v : dot u (descent_step eta H v) = dot u v - eta * dot u (apply H v).
  Proof.
    unfold dot, descent_step. rewrite <- sum_scal, <- sum_minus. apply sum_eq. intros. ring.
  Qed.

  Lemma descent_step_symmetric eta H u v :
    symmetric H -> dot u (descent_step eta H v) = dot (descent_step eta H u) v.
  Proof.
    intros sym. rewrite dot_descent_step, (dot_comm (descent_step eta H u)), dot_descent_step.
    now rewrite (apply_symmetric H u v), (dot_comm v u), (dot_comm v (apply H u)).
  Qed.

  (* The mean of the steps is the step of gradient descent. *)
  Lemma dot_mean_step eta batches u v :
    batches <> [] -> stationary batches ->
    mean (fun b => dot u (step eta b v)) batches = dot u (descent_step eta (mean_hessian batches) v).
  Proof.
    intros nonempty minimum. unfold dot. rewrite mean_sum_swap. apply sum_eq. intros p Hp.
    unfold step, descent_step. rewrite mean_scal, mean_minus, mean_const, mean_scal, mean_plus, minimum by easy.
    do 2 f_equal. rewrite Rplus_0_l. unfold apply. f_equal. rewrite mean_sum_swap. apply sum_eq. intros q _.
    unfold mean_hessian, mean, Rdiv. rewrite sum_scal_r. ring.
  Qed.

  Lemma descend_last eta H t v : descend eta H (S t) v = descent_step eta H (descend eta H t v).
  Proof. revert v. induction t as [|t IH]; intros v; [reflexivity|]. exact (IH (descent_step eta H v)). Qed.

  Lemma descend_add eta H s t v : descend eta H (s + t) v = descend eta H t (descend eta H s v).
  Proof. revert v. induction s as [|s IH]; intros v; [reflexivity|]. exact (IH (descent_step eta H v)). Qed.

  Lemma descend_symmetric eta H t u v : symmetric H -> dot u (descend eta H t v) = dot (descend eta H t u) v.
  Proof.
    intros sym. revert v. induction t as [|t IH]; intros v; [reflexivity|].
    change (dot u (descend eta H t (descent_step eta H v)) = dot (descend eta H (S t) u) v).
    rewrite IH, descend_last. now apply descent_step_symmetric.
  Qed.

  (* A positive semidefinite form obeys Cauchy-Schwarz. *)
  Lemma quadratic_cauchy_schwarz H u v :
    symmetric H -> positive_semidefinite H ->
    dot u (apply H v) * dot u (apply H v) <= quadratic H u * quadratic H v.
  Proof.
    intros sym psd. apply discriminant. intros s. specialize (psd (fun p => s * u p + v p)).
    replace (s * s * quadratic H u + 2 * s * dot u (apply H v) + quadratic H v)
      with (quadratic H (fun p => s * u p + v p)); [easy|].
    unfold quadratic.
    assert (forall a, dot a (apply H (fun p => s * u p + v p)) = s * dot a (apply H u) + dot a (apply H v)) as linear.
    { intros a. unfold dot. rewrite <- sum_scal, <- sum_plus. apply sum_eq. intros p _. unfold apply.
      rewrite (sum_eq _ (fun q => s * (H p q * u q) + H p q * v q)) by (intros; ring).
      rewrite sum_plus, sum_scal. ring. }
    rewrite linear, !(dot_comm (fun p => s * u p + v p)).
    assert (forall a, dot a (fun p => s * u p + v p) = s * dot a u + dot a v) as linear_too.
    { intros a. unfold dot. rewrite <- sum_scal, <- sum_plus. apply sum_eq. intros. ring. }
    rewrite !linear_too, !(dot_comm (apply H _)), (apply_symmetric H v u sym), (dot_comm (apply H v) u). ring.
  Qed.

  (* Expectations. *)

  Lemma expectation_abs eta batches t F v :
    Rabs (expectation eta batches t F v) <= expectation eta batches t (fun w => Rabs (F w)) v.
  Proof.
    revert v. induction t as [|t IH]; intros v; simpl; [lra|].
    eapply Rle_trans; [apply mean_abs|]. apply mean_le. intros b _. apply IH.
  Qed.

  Lemma expectation_le eta batches t F G v :
    (forall w, F w <= G w) -> expectation eta batches t F v <= expectation eta batches t G v.
  Proof.
    intros le. revert v. induction t as [|t IH]; intros v; simpl; [apply le|].
    apply mean_le. intros b _. apply IH.
  Qed.

  Lemma expectation_scal eta batches t c F v :
    expectation eta batches t (fun w => c * F w) v = c * expectation eta batches t F v.
  Proof.
    revert v. induction t as [|t IH]; intros v; simpl; [reflexivity|].
    rewrite (mean_eq _ _ _ (fun b _ => IH (step eta b v))). apply mean_scal.
  Qed.

  (* Gradient descent is SGD with the whole of the data as its one batch. *)
  Definition full_batch (H : A -> A -> R) : batch := Batch (fun _ => 0) H.

  Lemma expectation_descent eta H t F v : expectation eta [full_batch H] t F v = F (descend eta H t v).
  Proof.
    revert v. induction t as [|t IH]; intros v; simpl; [reflexivity|]. rewrite <- IH. unfold mean. simpl.
    replace (step eta (full_batch H) v) with (descent_step eta H v); [field|].
    apply FunctionalExtensionality.functional_extensionality. intros p. unfold step, descent_step. simpl. ring.
  Qed.

  (* E v_t descends by the full Hessian: here its product with any u. *)
  Lemma expectation_dot eta batches t u v :
    batches <> [] -> stationary batches -> symmetric (mean_hessian batches) ->
    expectation eta batches t (dot u) v = dot u (descend eta (mean_hessian batches) t v).
  Proof.
    intros nonempty minimum sym. revert v. induction t as [|t IH]; intros v; simpl; [reflexivity|].
    rewrite (mean_eq _ _ _ (fun b _ => IH (step eta b v))).
    rewrite descend_symmetric by easy. rewrite <- dot_mean_step by easy.
    apply mean_eq. intros b _. now apply descend_symmetric.
  Qed.

  Lemma expected_norm eta batches t u v :
    batches <> [] -> stationary batches -> symmetric (mean_hessian batches) ->
    Rabs (dot u (descend eta (mean_hessian batches) t v)) <= norm u * expectation eta batches t norm v.
  Proof.
    intros nonempty minimum sym. rewrite <- expectation_dot, <- expectation_scal by easy.
    eapply Rle_trans; [apply expectation_abs|]. apply expectation_le. intros w. apply dot_norm.
  Qed.

  (* Where the first step more than reverses q, the component along q explodes: q^T A^2t q q^T q >= (q^T A^t q)^2. *)
  Lemma doubling eta H q :
    symmetric H -> 0 < dot q q -> forall k,
    dot q q * (Rabs (dot q (descent_step eta H q)) / dot q q) ^ (2 ^ k) <= Rabs (dot q (descend eta H (2 ^ k) q)).
  Proof.
    intros sym positive k. set (N := dot q q) in *. induction k as [|k IH].
    - apply Req_le. simpl. field. lra.
    - set (t := (2 ^ k)%nat) in *.
      replace (2 ^ S k)%nat with (t + t)%nat by (unfold t; simpl; lia).
      rewrite descend_add, descend_symmetric, pow_add by easy.
      set (r := (Rabs (dot q (descent_step eta H q)) / N) ^ t) in *. set (w := descend eta H t q) in *.
      assert (0 <= N * r).
      { apply Rmult_le_pos; [lra|]. apply pow_le, Rmult_le_pos; [apply Rabs_pos|].
        now apply Rlt_le, Rinv_0_lt_compat. }
      rewrite (Rabs_pos_eq (dot w w)) by apply dot_pos.
      assert (Rabs (dot q w) * Rabs (dot q w) <= N * dot w w).
      { rewrite <- Rabs_mult, Rabs_pos_eq by nra. apply cauchy_schwarz. }
      assert (N * r * (N * r) <= N * dot w w) by nra.
      apply (Rmult_le_reg_l N); [easy|]. lra.
  Qed.

  (* Powers of a number above 1 exceed any bound, at exponents 2^k as large as we please. *)
  Lemma powers_unbounded (r bound : R) (T : nat) :
    1 < r -> exists k, (T <= 2 ^ k)%nat /\ bound < r ^ (2 ^ k).
  Proof.
    intros above. destruct (archimed (bound / (r - 1))) as [far _].
    set (m := Z.to_nat (up (bound / (r - 1)))). exists (T + m)%nat.
    assert (T + m < 2 ^ (T + m))%nat as large by (apply Nat.pow_gt_lin_r; lia).
    split; [lia|].
    assert (bound / (r - 1) <= INR (2 ^ (T + m))) as reach.
    { apply Rle_trans with (INR m); [|apply le_INR; lia].
      unfold m. rewrite INR_IZR_INZ, ZifyInst.of_nat_to_nat_eq.
      apply Rlt_le, Rlt_le_trans with (IZR (up (bound / (r - 1)))); [lra|]. apply IZR_le. lia. }
    assert (bound <= INR (2 ^ (T + m)) * (r - 1)).
    { replace bound with (bound / (r - 1) * (r - 1)) by (field; lra). apply Rmult_le_compat_r; lra. }
    pose proof (poly (2 ^ (T + m)) (r - 1)) as bernoulli.
    replace (1 + (r - 1)) with r in bernoulli by ring. lra.
  Qed.

  (* mulayoff2021, Lemma 1 (M1): "eps-linearly stable minimum of SGD with step size eta => lambda_max <= 2/eta".
     Any dimension, any eps > 0, any list of batches; their gradients need only average to 0. *)
  Theorem linear_stability_bounds_sharpness (eps eta : R) (batches : list batch) :
    0 < eps -> 0 < eta -> batches <> [] -> stationary batches -> symmetric (mean_hessian batches) ->
    linearly_stable eps eta batches -> lambda_max_at_most (2 / eta) (mean_hessian batches).
  Proof.
    intros eps_pos eta_pos nonempty minimum sym stable q. set (H := mean_hessian batches) in *.
    destruct (dot_pos q) as [positive|zero].
    2: { assert (quadratic H q = 0) as ->; [|rewrite <- zero; lra].
         apply sum_zero. intros p Hp.
         assert (q p * q p = 0); [|nra].
         apply (sum_zero_inv (fun p => q p * q p) coordinates); [intros; nra|easy|easy]. }
    destruct (Rle_dec (quadratic H q) (2 / eta * dot q q)) as [|sharp]; [easy|exfalso].
    apply Rnot_le_lt in sharp.
    assert (2 * dot q q < eta * quadratic H q).
    { replace (2 * dot q q) with (eta * (2 / eta * dot q q)) by (field; lra). now apply Rmult_lt_compat_l. }
    set (N := dot q q) in *.
    assert (0 < norm q) as length_pos by (apply sqrt_lt_R0; easy).
    assert (1 < Rabs (dot q (descent_step eta H q)) / N) as grows.
    { apply (Rmult_lt_reg_r N); [easy|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra.
      rewrite dot_descent_step. fold (quadratic H q) N. rewrite Rabs_left; lra. }
    (* the start of length eps along q *)
    set (s := eps / norm q).
    assert (0 < s) as s_pos by (apply Rdiv_lt_0_compat; easy).
    assert (norm (fun p => s * q p) <= eps) as start.
    { unfold norm. rewrite dot_scal, dot_comm, dot_scal, <- Rmult_assoc.
      rewrite sqrt_mult, sqrt_square by (try apply dot_pos; nra). fold (norm q). unfold s. apply Req_le. field. lra. }
    destruct (stable _ start 1 Rlt_0_1) as [T bounded].
    destruct (powers_unbounded _ (norm q * (eps + 1) / (s * N)) T grows) as [k [late large]].
    specialize (bounded _ late).
    pose proof (expected_norm eta batches (2 ^ k) q (fun p => s * q p) nonempty minimum sym) as along. fold H in along.
    rewrite descend_symmetric, dot_scal, Rabs_mult, (Rabs_pos_eq s), <- descend_symmetric in along by (easy || lra).
    pose proof (doubling eta H q sym positive k) as growth. fold N in growth.
    set (r := (Rabs (dot q (descent_step eta H q)) / N) ^ (2 ^ k)) in *.
    assert (norm q * (eps + 1) < s * N * r).
    { replace (norm q * (eps + 1)) with (s * N * (norm q * (eps + 1) / (s * N))) by (field; lra).
      apply Rmult_lt_compat_l; [nra|easy]. }
    assert (s * (N * r) <= s * Rabs (dot q (descend eta H (2 ^ k) q))) by (apply Rmult_le_compat_l; lra).
    assert (norm q * expectation eta batches (2 ^ k) norm (fun p => s * q p) <= norm q * (eps + 1))
      by (apply Rmult_le_compat_l; lra).
    lra.
  Qed.

  (* Where 0 <= H <= 2/eta, a step of gradient descent lengthens nothing: ||Hv||^2 <= (2/eta) v^T H v. *)
  Lemma step_contracts eta H v :
    0 < eta -> symmetric H -> positive_semidefinite H -> lambda_max_at_most (2 / eta) H ->
    norm (descent_step eta H v) <= norm v.
  Proof.
    intros eta_pos sym psd flat. apply sqrt_le_1_alt.
    set (image := apply H v).
    assert (dot (descent_step eta H v) (descent_step eta H v)
      = dot v v - 2 * eta * quadratic H v + eta * eta * dot image image) as ->.
    { rewrite dot_descent_step, !(dot_comm (descent_step eta H v)), !dot_descent_step. fold image.
      rewrite (dot_comm image v). unfold quadratic. fold image. ring. }
    assert (dot image image * dot image image <= quadratic H image * quadratic H v) as form
      by now apply quadratic_cauchy_schwarz.
    specialize (flat image). pose proof (psd v). pose proof (dot_pos image).
    assert (eta * quadratic H image <= 2 * dot image image) as flat'.
    { replace (2 * dot image image) with (eta * (2 / eta * dot image image)) by (field; lra).
      apply Rmult_le_compat_l; lra. }
    assert (eta * dot image image <= 2 * quadratic H v); [|nra].
    destruct (Req_dec (dot image image) 0) as [->|]; [lra|].
    apply (Rmult_le_reg_l (dot image image)); [lra|].
    assert (eta * (dot image image * dot image image) <= eta * (quadratic H image * quadratic H v))
      by (apply Rmult_le_compat_l; lra).
    assert (eta * quadratic H image * quadratic H v <= 2 * dot image image * quadratic H v)
      by (apply Rmult_le_compat_r; lra).
    lra.
  Qed.

  (* mulayoff2021, the note on Lemma 1 (M1.a): for gradient descent at a minimum, whose Hessian is positive
     semidefinite, "linearly stable <=> lambda_max <= 2/eta". *)
  Theorem descent_stable_iff (eps eta : R) (H : A -> A -> R) :
    0 < eps -> 0 < eta -> symmetric H -> positive_semidefinite H ->
    linearly_stable eps eta [full_batch H] <-> lambda_max_at_most (2 / eta) H.
  Proof.
    intros eps_pos eta_pos sym psd.
    assert (forall p q, mean_hessian [full_batch H] p q = H p q) as same
      by (intros; unfold mean_hessian, mean; simpl; field).
    split.
    - intros stable q.
      replace (quadratic H q) with (quadratic (mean_hessian [full_batch H]) q)
        by (apply sum_eq; intros p _; unfold apply; f_equal; apply sum_eq; intros; now rewrite same).
      apply (linear_stability_bounds_sharpness eps); try easy.
      { intros p _. unfold mean. simpl. field. }
      intros p r Hp Hr. rewrite !same. now apply sym.
    - intros flat v start delta delta_pos. exists 0%nat. intros t _. rewrite expectation_descent.
      assert (norm (descend eta H t v) <= norm v); [|lra].
      induction t as [|t IH]; [simpl; lra|]. rewrite descend_last.
      eapply Rle_trans; [|exact IH]. now apply step_contracts.
  Qed.
End Iterations.

(* mulayoff2021, Lemma 1 along one eigenvector: v_t = (1 - eta lambda)^t v_0 stays bounded iff 0 <= lambda <= 2/eta. *)
Theorem eigendirection_bounded_iff (eta lambda start : R) :
  0 < eta -> start <> 0 ->
  (exists C, forall t, Rabs ((1 - eta * lambda) ^ t * start) <= C) <-> 0 <= lambda <= 2 / eta.
Proof.
  intros eta_pos moved. set (m := 1 - eta * lambda).
  assert (0 <= lambda <= 2 / eta <-> Rabs m <= 1) as ->.
  { assert (2 / eta * eta = 2) by (field; lra).
    split; [intros [low high]; apply Rabs_le; unfold m; split; nra|].
    intros size. pose proof (Rle_abs m). pose proof (Rle_abs (- m)). rewrite Rabs_Ropp in *. unfold m in *.
    split; nra. }
  split.
  - intros [C bounded]. destruct (Rle_dec (Rabs m) 1) as [|above]; [easy|exfalso]. apply Rnot_le_lt in above.
    destruct (powers_unbounded (Rabs m) (C / Rabs start) 0 above) as [k [_ large]].
    specialize (bounded (2 ^ k)%nat). rewrite Rabs_mult, <- RPow_abs in bounded.
    assert (0 < Rabs start) by now apply Rabs_pos_lt.
    assert (C < Rabs m ^ 2 ^ k * Rabs start); [|lra].
    replace C with (C / Rabs start * Rabs start) by (field; lra). now apply Rmult_lt_compat_r.
  - intros size. exists (Rabs start). intros t. rewrite Rabs_mult, <- RPow_abs.
    assert (Rabs m ^ t <= 1) by (rewrite <- (pow1 t); apply pow_incr; split; [apply Rabs_pos|easy]).
    pose proof (Rabs_pos start). nra.
Qed.
